import type { JsonObject, JsonRpcNotification } from "@cortex-os/mcp-core/wire";

/** A notification of ours. */
export const notification = (method: string, params?: JsonObject): JsonRpcNotification =>
  params === undefined ? { jsonrpc: "2.0", method } : { jsonrpc: "2.0", method, params };
