import type { ConnectorStatus } from "@cortex-os/mcp-core";
import type { Io } from "../io.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { CallError } from "./call-error.js";
import { ControlClient } from "./control-client.js";

/** What the running gateway says of its connectors. */
export type LiveStatuses =
  | { readonly kind: "none" }
  /** It runs and does not answer as it should; `problem` says what to do. */
  | { readonly kind: "silent"; readonly problem: string }
  | { readonly kind: "known"; readonly statuses: ReadonlyMap<string, ConnectorStatus> };

/** How the connectors of the running gateway are, by key. What the registry says can be shown without it, so that it only throws when the home cannot be read. */
export async function liveStatuses(io: Io): Promise<LiveStatuses> {
  const running = await findRunningGateway(statePaths(io.env));
  if (running === undefined) return { kind: "none" };
  try {
    const { connectors } = await new ControlClient(running, io.system.timers).status();
    return { kind: "known", statuses: new Map(connectors.map((status) => [status.key, status])) };
  } catch (error) {
    if (error instanceof CallError) return { kind: "silent", problem: error.message };
    throw error;
  }
}

/** The state of one server in a word; `undefined` when no gateway runs and it would be served. */
export function stateText(live: LiveStatuses, key: string, disabled: boolean): string | undefined {
  if (live.kind === "known") return live.statuses.get(key)?.state ?? "unknown";
  if (live.kind === "silent") return "unknown";
  return disabled ? "disabled" : undefined;
}
