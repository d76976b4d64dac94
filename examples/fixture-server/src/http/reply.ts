import type { ServerResponse } from "node:http";
import type { JsonRpcError, JsonRpcResponse, RequestId } from "@cortex-os/mcp-core/wire";
import type { RpcFailure } from "../rpc-failure.js";

/** Answers with one JSON-RPC message. */
export function sendJson(res: ServerResponse, status: number, message: JsonRpcResponse): void {
  const body = JSON.stringify(message);
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  res.end(body);
}

/** Refuses a message: `status`, and why as a JSON-RPC error, without an id when the message's could not be read. */
export function sendFailure(res: ServerResponse, status: number, failure: RpcFailure, id?: RequestId): void {
  const error = failure.toErrorObject();
  const message: JsonRpcError = id === undefined ? { jsonrpc: "2.0", error } : { jsonrpc: "2.0", id, error };
  sendJson(res, status, message);
}

/** Answers with a status alone. */
export function sendEmpty(res: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  res.writeHead(status, { ...headers, ...(status === 202 ? {} : { "content-length": "0" }) });
  res.end();
}
