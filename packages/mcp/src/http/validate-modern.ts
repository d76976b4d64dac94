import type { IncomingHttpHeaders } from "node:http";
import { GatewayError } from "@cortex-os/mcp-core";
import {
  decodeHeaderValue,
  HEADER,
  isModernRevision,
  META,
  metaOf,
  NAME_SOURCE,
  type JsonRpcRequest,
} from "@cortex-os/mcp-core/wire";
import { checkModernMeta, missingMeta, unsupportedVersion } from "../gateway/modern-client.js";

/**
 * Holds a modern request's headers against its body (2026-07-28, Streamable HTTP, Server Validation). What two machines on the way could read differently is
 * refused, not interpreted.
 *
 * @returns the error to answer with (HTTP 400), or `undefined` when all is well
 */
export function validateModern(message: JsonRpcRequest, headers: IncomingHttpHeaders): GatewayError | undefined {
  return (
    checkVersion(message, headers) ??
    checkMethod(message, headers) ??
    checkName(message, headers) ??
    checkModernMeta(message)
  );
}

function checkVersion(message: JsonRpcRequest, headers: IncomingHttpHeaders): GatewayError | undefined {
  const header = single(headers[HEADER.protocolVersion]);
  if (header === undefined) return mismatch("MCP-Protocol-Version is missing");
  const meta = metaOf(message.params)?.[META.protocolVersion];
  if (meta === undefined) return missingMeta(META.protocolVersion);
  if (meta !== header) {
    return mismatch(`MCP-Protocol-Version ${shown(header)} does not match the body's ${shown(meta)}`);
  }
  return isModernRevision(header) ? undefined : unsupportedVersion(header);
}

function checkMethod(message: JsonRpcRequest, headers: IncomingHttpHeaders): GatewayError | undefined {
  const header = single(headers[HEADER.method]);
  if (header === undefined) return mismatch("Mcp-Method is missing");
  if (header === message.method && (message.method in NAME_SOURCE || !NOT_VISIBLE_ASCII.test(header))) return undefined;
  if (NOT_VISIBLE_ASCII.test(header)) return mismatch("Mcp-Method contains characters a header may not hold");
  return mismatch(`Mcp-Method header value ${shown(header)} does not match body value ${shown(message.method)}`);
}

function checkName(message: JsonRpcRequest, headers: IncomingHttpHeaders): GatewayError | undefined {
  const source = NAME_SOURCE[message.method];
  const header = single(headers[HEADER.name]);
  if (source === undefined) return undefined;
  // Of an extension's methods the specification itself asks for none: a client that leaves it out is served.
  if (header === undefined)
    return source === "taskId" ? undefined : mismatch(`Mcp-Name is missing; ${message.method} needs it`);
  const value = message.params?.[source];
  // As nearly every client sends it: it needs no taking apart.
  if (header === value && PLAIN_NAME.test(header)) return undefined;
  const decoded = decodeHeaderValue(header);
  if (!decoded.ok) return mismatch(`Mcp-Name ${decoded.reason}`);
  if (decoded.value === value) return undefined;
  return mismatch(`Mcp-Name header value ${shown(decoded.value)} does not match body value ${shown(value)}`);
}

const PLAIN_NAME = /^[A-Za-z0-9_./:-]+$/;
const NOT_VISIBLE_ASCII = /[^\t\x20-\x7e]/;

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(", ") : value;

const shown = (value: unknown): string => (JSON.stringify(value) ?? "(none)").slice(0, 120);

const mismatch = (what: string): GatewayError => new GatewayError("HEADER_MISMATCH", `Header mismatch: ${what}`);
