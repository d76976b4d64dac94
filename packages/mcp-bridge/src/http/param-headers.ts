import { mirroredHeaders, type MirroredParam } from "@cortex-os/mcp-core/wire";
import type { UpstreamCall } from "../runtime/exchange.js";

/**
 * A call with the headers its tool asks for. Clients of the legacy era know nothing of mirrored parameters: towards a modern
 * upstream the gateway mirrors for them. A modern client does it itself, or is refused by the upstream.
 */
export function withMirroredParams(
  call: UpstreamCall,
  mirrored: ReadonlyMap<string, readonly MirroredParam[]>,
): UpstreamCall {
  if (mirrored.size === 0 || call.caller.era === "modern" || call.method !== "tools/call") return call;
  const name = call.params?.["name"];
  const params = typeof name === "string" ? mirrored.get(name) : undefined;
  if (params === undefined) return call;
  return { ...call, paramHeaders: mirroredHeaders(params, call.params?.["arguments"]) };
}
