import { GatewayError } from "@cortex-os/mcp-core";
import { closedFailure } from "../http/failures.js";
import type { UpstreamFacts } from "../link.js";

/** Where a `RemoteProxy` is in its life. */
export type ProxyState =
  /** Not asked to connect yet. */
  | { readonly kind: "idle" }
  /** It was up, perhaps in an earlier life of the process, and holds nothing because nothing was asked of it: what is asked of it connects it. */
  | { readonly kind: "asleep" }
  /** The first attempt is under way, or the first after a sleep; later ones happen while it is `down`. */
  | { readonly kind: "connecting" }
  | { readonly kind: "up"; readonly facts: UpstreamFacts }
  | {
      readonly kind: "down";
      /** Why: of the last attempt, or of the loss. */
      readonly error: GatewayError;
      /** How many failures came before this one. */
      readonly attempt: number;
      /** When it is tried again at the latest, in milliseconds since the epoch; absent when trying again is no use. */
      readonly retryAt?: number;
    }
  | { readonly kind: "disposed" };

/** Whether the next attempt comes as soon as it is asked for, or is under way: then everybody waits for it. */
export const isBeginning = ({ kind }: ProxyState): boolean =>
  kind === "idle" || kind === "asleep" || kind === "connecting";

/** Why nothing can be asked of it now. @param closing the reason it is being closed with, if it is */
export function unavailableFailure(key: string, state: ProxyState, closing: unknown): GatewayError {
  if (state.kind !== "down") return GatewayError.is(closing) ? closing : closedFailure(key);
  const { error, retryAt } = state;
  const hope = retryAt === undefined ? "" : "; it is being tried again";
  return new GatewayError("UPSTREAM_UNAVAILABLE", error.message + hope, { cause: error });
}
