import type { ConnectorStatus } from "@cortex-os/mcp-core";

/** Where a `Connector` is in its life. */
export type ConnectorState =
  | { readonly kind: "disabled" }
  | { readonly kind: "connecting" }
  /** What is asked of it is likely to be answered: it is connected, or sleeps and starts when it is asked. */
  | { readonly kind: "up" }
  | {
      readonly kind: "down";
      /** For anybody. */
      readonly reason: string;
      /** For operators only. */
      readonly detail?: string;
    };

/** The state as operators see it. */
export function shownState(state: ConnectorState): Pick<ConnectorStatus, "state" | "reason"> {
  if (state.kind !== "down") return { state: state.kind };
  const { reason, detail } = state;
  return { state: "down", reason: detail === undefined ? reason : `${reason}; ${detail}` };
}

/** The state, and why, in words that a client may read: no detail that is for operators only. */
export const stateForAnybody = (state: ConnectorState): string =>
  state.kind === "down" ? `down: ${state.reason}` : state.kind;

const ISOLATED =
  "it asked what several clients could have been meant by, so that each client has a process of its own now; isolation: session in its entry has it so from the start";
const ASLEEP =
  "its process is not running: the next request starts it, and until then its lists are as it gave them last";

/** What an operator should know of it, whatever its state. */
export function noteOf(what: {
  readonly isIsolated: boolean;
  readonly isAsleep: boolean;
}): Pick<ConnectorStatus, "note"> {
  const notes = [...(what.isIsolated ? [ISOLATED] : []), ...(what.isAsleep ? [ASLEEP] : [])];
  return notes.length === 0 ? {} : { note: notes.join("; ") };
}
