import { mirroredHeaders, type MirroredParam } from "@cortex-os/mcp-core/wire";
import type { UpstreamCall } from "../runtime/exchange.js";

/**
 * A call with the headers its tool asks for. Clients of the legacy era know nothing of mirrored parameters, and a channel such as stdio has no headers: the gateway
 * mirrors for them. A modern client over HTTP does it itself, or is refused.
 */
export function withMirroredParams(
  call: UpstreamCall,
  mirrored: ReadonlyMap<string, readonly MirroredParam[]>,
): UpstreamCall {
  if (mirrored.size === 0 || !isOursToMirror(call)) return call;
  const name = call.params?.["name"];
  const params = typeof name === "string" ? mirrored.get(name) : undefined;
  if (params === undefined) return call;
  return { ...call, paramHeaders: mirroredHeaders(params, call.params?.["arguments"]) };
}

/** Whether the headers that mirror a call's parameters are for the gateway to make. */
export const isOursToMirror = ({ method, paramHeaders }: UpstreamCall): boolean =>
  method === "tools/call" && paramHeaders === undefined;
