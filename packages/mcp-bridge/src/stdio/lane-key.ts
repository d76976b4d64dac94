import type { Isolation } from "@cortex-os/mcp-core";
import type { Caller } from "../runtime/exchange.js";

/** The key of a client session's own process. */
export const sessionLane = (sessionKey: string): string => `session:${sessionKey}`;

/** Which process a caller's calls go to; `undefined` is the shared one. A caller without a session counts as its principal. */
export function laneKey(isolation: Isolation, { sessionKey, principal }: Caller): string | undefined {
  if (isolation === "shared") return undefined;
  return isolation === "session" && sessionKey !== undefined ? sessionLane(sessionKey) : `principal:${principal}`;
}
