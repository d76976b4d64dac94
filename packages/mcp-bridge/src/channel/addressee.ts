import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { refusalFor } from "../asking/client-capabilities.js";
import type { Caller, UpstreamCall } from "../runtime/exchange.js";
import { printable } from "../upstream-text.js";
import type { LaneOwner } from "./lane-logs.js";

/** A call in flight, as far as it matters for who is asked. */
export interface Asker {
  readonly call: Pick<UpstreamCall, "caller">;
}

/** Whom a request of a peer's is for. */
export type Addressee<T extends Asker> =
  /** The client of this call, and it ends with the call. */
  | { readonly kind: "call"; readonly call: T }
  /** This client; of its calls in flight it may belong to any, or to none. */
  | { readonly kind: "session"; readonly sessionKey: string; readonly calls: readonly T[] }
  | { readonly kind: "refused"; readonly error: GatewayError }
  /** Several clients could be meant, of whom none may be asked what another one was to be. */
  | { readonly kind: "ambiguous"; readonly error: GatewayError };

/**
 * Whom a request of a legacy peer's is for, over a channel that does not say to which call it belongs (design.md, decision 6): the one client whose the peer is, or of a
 * peer that several share the only one with a call in flight who can answer.
 *
 * @param inFlight in the order in which they began
 */
export function addresseeOf<T extends Asker>(
  request: JsonRpcRequest,
  owner: LaneOwner,
  inFlight: readonly T[],
): Addressee<T> {
  if (owner.kind === "session") return ofSession(request, owner.client, owner.sessionKey, inFlight);
  const able = inFlight.filter(({ call }) => refusalFor(request, call.caller) === undefined);
  const [first, ...others] = able;
  if (first === undefined) return { kind: "refused", error: nobodyAble(request, inFlight) };
  const { sessionKey } = first.call.caller;
  if (others.some(({ call }) => call.caller.sessionKey !== sessionKey || sessionKey === undefined))
    return { kind: "ambiguous", error: ambiguity(request) };
  // Several calls of one client: whichever it belongs to, it is this client's to answer.
  if (others.length > 0 && sessionKey !== undefined) return { kind: "session", sessionKey, calls: able };
  return { kind: "call", call: first };
}

function ofSession<T extends Asker>(
  request: JsonRpcRequest,
  client: Caller,
  sessionKey: string,
  inFlight: readonly T[],
): Addressee<T> {
  const error = refusalFor(request, client);
  if (error !== undefined) return { kind: "refused", error };
  const [only, ...others] = inFlight;
  // Roots are asked for when a session begins, whatever call began it, and nobody has to think about the answer.
  const isOfCall = only !== undefined && others.length === 0 && request.method !== "roots/list";
  return isOfCall ? { kind: "call", call: only } : { kind: "session", sessionKey, calls: inFlight };
}

function nobodyAble(request: JsonRpcRequest, inFlight: readonly Asker[]): GatewayError {
  const [only, ...others] = inFlight;
  const why = only === undefined || others.length > 0 ? undefined : refusalFor(request, only.call.caller);
  if (why !== undefined) return why;
  const who = only === undefined ? "no call of a client is under way" : "no client with a call under way offers it";
  return new GatewayError("METHOD_UNKNOWN", `Nobody can be asked for ${printable(request.method, 100)}: ${who}`);
}

const ambiguity = ({ method }: JsonRpcRequest): GatewayError =>
  new GatewayError(
    "METHOD_UNKNOWN",
    `Nobody can be asked for ${printable(method, 100)}: several clients that share this server have calls under way, and it cannot be told whose it is`,
  );
