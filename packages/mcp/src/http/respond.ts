import type { ServerResponse } from "node:http";
import { toJsonRpcError, type GatewayError } from "@cortex-os/mcp-core";
import type { RequestId } from "@cortex-os/mcp-core/wire";

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, "application/json", JSON.stringify(value));
}

/** Answers with text of a given type. */
export function sendText(response: ServerResponse, status: number, contentType: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, { "content-type": contentType, "content-length": body.length });
  response.end(body);
}

/** Answers with a status and nothing else. */
export function sendEmpty(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-length": 0, ...headers });
  response.end();
}

/** Answers with an error of ours, in JSON-RPC's form; without `id` when the request's could not be read. */
export function sendError(response: ServerResponse, status: number, error: GatewayError, id?: RequestId): void {
  sendJson(response, status, { jsonrpc: "2.0", ...(id === undefined ? {} : { id }), error: toJsonRpcError(error) });
}
