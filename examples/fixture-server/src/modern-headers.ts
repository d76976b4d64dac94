import { decodeHeaderValue, HEADER, META, metaOf, NAME_SOURCE, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { Headers } from "./caller.js";
import { headerText, saysTheSame, valueAt, type MirroredParam } from "./param-headers.js";
import { CODE, RpcFailure } from "./rpc-failure.js";

/**
 * Checks `MCP-Protocol-Version` against the body (2026-07-28, Streamable HTTP, Server Validation). Comes before
 * everything else: which further rules hold depends on the revision.
 * @throws RpcFailure −32020 (HTTP 400) when it is missing or differs
 */
export function checkVersionHeader(request: JsonRpcRequest, headers: Headers): void {
  const header = plain(headers, HEADER.protocolVersion, "MCP-Protocol-Version");
  const body = metaOf(request.params)?.[META.protocolVersion];
  if (typeof body === "string" && header !== body) throw differs("MCP-Protocol-Version", header, body);
}

/**
 * Checks `Mcp-Method` and, where the method has one, `Mcp-Name` against the body.
 * @throws RpcFailure −32020 (HTTP 400) when one is missing, unreadable or differs
 */
export function checkMethodHeaders(request: JsonRpcRequest, headers: Headers): void {
  const method = plain(headers, HEADER.method, "Mcp-Method");
  if (method !== request.method) throw differs("Mcp-Method", method, request.method);
  const source = NAME_SOURCE[request.method];
  if (source === undefined) return;
  const name = decoded(headers, HEADER.name, "Mcp-Name");
  const body = request.params?.[source];
  // A name that is no string at all is for the method itself to refuse, as wrong parameters.
  if (typeof body === "string" && name !== body) throw differs("Mcp-Name", name, body);
}

/**
 * Checks the `Mcp-Param-*` headers that a tool's schema asks for; others are none of ours.
 * @throws RpcFailure −32020 (HTTP 400) when one is missing, unreadable, differs, or is there without a value in the body
 */
export function checkParamHeaders(request: JsonRpcRequest, headers: Headers, mirrored: readonly MirroredParam[]): void {
  for (const { header, path } of mirrored) {
    const value = valueAt(request.params?.["arguments"], path);
    if (value === undefined) {
      if (headers[header] === undefined) continue;
      throw mismatch(`${header} is there, but arguments.${path.join(".")} is not`);
    }
    const text = decoded(headers, header, header);
    if (!saysTheSame(text, value)) throw differs(header, text, headerText(value));
  }
}

function plain(headers: Headers, key: string, shown: string): string {
  const value = headers[key];
  if (typeof value !== "string") throw mismatch(`${shown} is missing`);
  return value;
}

function decoded(headers: Headers, key: string, shown: string): string {
  const header = decodeHeaderValue(plain(headers, key, shown));
  if (!header.ok) throw mismatch(`${shown} ${header.reason}`);
  return header.value;
}

const differs = (shown: string, header: string, body: string): RpcFailure =>
  mismatch(`${shown} header value '${header}' does not match body value '${body}'`);

const mismatch = (what: string): RpcFailure =>
  new RpcFailure(CODE.headerMismatch, `Header mismatch: ${what}`, { httpStatus: 400 });
