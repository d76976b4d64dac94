import { moreVerbose, type Era, type LogLevel } from "@cortex-os/mcp-core/wire";
import { askedLevel, ownLogLevel } from "../log-levels.js";
import type { Caller, UpstreamCall } from "../runtime/exchange.js";

/** Who has a child: everybody, a principal's sessions, or one of them. */
export type LaneOwner =
  | { readonly kind: "all" }
  | { readonly kind: "principal" }
  | { readonly kind: "session"; readonly sessionKey: string; readonly client: Caller };

/**
 * From which level on a call in flight is given what its child logs: over stdio a log message bears no mark of the request that it belongs to, so that
 * every call gets it that may have caused it and wants it. Legacy sessions hear a legacy child by themselves, unless they are several and none but
 * they may hear it.
 */
export function levelInFlight(call: UpstreamCall, owner: LaneOwner, upstream: Era): LogLevel | undefined {
  if (upstream === "modern" || call.caller.era === "modern") return askedLevel(call);
  return owner.kind === "principal" ? ownLogLevel(call) : undefined;
}

/**
 * What a legacy child is to be told before a call; `undefined` when there is nothing new.
 *
 * @param told what it was told last
 */
export function levelToTell(call: UpstreamCall, owner: LaneOwner, told: LogLevel | undefined): LogLevel | undefined {
  // What the legacy sessions want of a child that all share, the gateway tells: it knows them all.
  const asked = owner.kind === "all" && call.caller.era === "legacy" ? undefined : askedLevel(call);
  const wanted = owner.kind === "session" || asked === undefined ? asked : moreVerbose(told, asked);
  return wanted === told ? undefined : wanted;
}
