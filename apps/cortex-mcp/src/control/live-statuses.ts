import type { ConnectorOrigin, ConnectorStatus } from "@cortex-os/mcp-core";
import type { Io } from "../io.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { CallError } from "./call-error.js";
import { ControlClient } from "./control-client.js";
import type { MapView } from "./map-views.js";

/** What the running gateway says of its connectors. */
export type LiveStatuses =
  | { readonly kind: "none" }
  /** It runs and does not answer as it should; `problem` says what to do. */
  | { readonly kind: "silent"; readonly problem: string }
  | {
      readonly kind: "known";
      /** The endpoint for clients over HTTP; `null` when there is none. */
      readonly url: string | null;
      readonly statuses: readonly ConnectorStatus[];
      /** Absent when it follows no service map. */
      readonly map?: MapView;
    };

/** How the connectors of the running gateway are. What the registry says can be shown without it, so that it only throws when the home cannot be read. */
export async function liveStatuses(io: Io): Promise<LiveStatuses> {
  const running = await findRunningGateway(statePaths(io.env));
  if (running === undefined) return { kind: "none" };
  try {
    const client = new ControlClient(running, io.system.timers);
    const { connectors: statuses, serviceMap } = await client.status();
    const url = running.record?.url ?? null;
    return { kind: "known", url, statuses, ...(serviceMap === undefined ? {} : { map: await client.map() }) };
  } catch (error) {
    if (error instanceof CallError) return { kind: "silent", problem: error.message };
    throw error;
  }
}

/** What the gateway says of one server; both sources may have one of that name. */
export function statusOf(live: LiveStatuses, key: string, source: ConnectorOrigin): ConnectorStatus | undefined {
  if (live.kind !== "known") return undefined;
  return live.statuses.find((status) => status.key === key && status.source === source);
}

/** Where clients find one server by itself, under its own names; `undefined` when there is no such place, or it is another source's server of that name. */
export function ownAddress(live: LiveStatuses, key: string, source: ConnectorOrigin): string | undefined {
  if (live.kind !== "known" || live.url === null) return undefined;
  // The one that lost its key to another comes behind it.
  const living = live.statuses.find((status) => status.key === key);
  return living?.source === source ? `${live.url}/-/${key}` : undefined;
}

/** The state of one server in a word; `undefined` when no gateway runs and it would be served. */
export function stateText(
  live: LiveStatuses,
  { key, source, disabled }: { readonly key: string; readonly source: ConnectorOrigin; readonly disabled: boolean },
): string | undefined {
  if (live.kind === "known") return statusOf(live, key, source)?.state ?? "unknown";
  if (live.kind === "silent") return "unknown";
  return disabled ? "disabled" : undefined;
}
