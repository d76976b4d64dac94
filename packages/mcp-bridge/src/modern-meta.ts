import { META, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";

/** The `_meta` of a modern request of the gateway's own (2026-07-28, basic, `_meta`). */
export function modernMeta(revision: string, clientInfo: JsonObject): Record<string, JsonValue> {
  return {
    [META.protocolVersion]: revision,
    [META.clientInfo]: clientInfo,
    [META.clientCapabilities]: {},
  };
}
