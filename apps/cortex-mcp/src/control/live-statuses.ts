import type { ConnectorStatus } from "@cortex-os/mcp-core";
import type { Io } from "../io.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { ControlClient } from "./control-client.js";

/**
 * How the connectors of the running gateway are, by key; `undefined` when none runs.
 *
 * @throws CallError when one runs but does not answer
 */
export async function liveStatuses(io: Io): Promise<ReadonlyMap<string, ConnectorStatus> | undefined> {
  const running = await findRunningGateway(statePaths(io.env));
  if (running === undefined) return undefined;
  const { connectors } = await new ControlClient(running.socket, io.system.timers).status();
  return new Map(connectors.map((status) => [status.key, status]));
}
