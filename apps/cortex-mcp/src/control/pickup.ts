import type { ConnectorStatus } from "@cortex-os/mcp-core";
import type { Io } from "../io.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { reasonOf } from "../user-error.js";
import { ControlClient } from "./control-client.js";

/** What the running gateway made of a change to the registry. */
export type Pickup =
  | { readonly running: false }
  | { readonly running: true; readonly url: string | undefined; readonly connector: ConnectorStatus | undefined }
  | { readonly running: true; readonly url: string | undefined; readonly problem: string };

/** Makes the running gateway, if there is one, read the registry now, and says what it knows of connector `key` then. Never throws. */
export async function pickUp(io: Io, key: string): Promise<Pickup> {
  const running = await findRunningGateway(statePaths(io.env));
  if (running === undefined) return { running: false };
  const url = running.record?.url;
  const isOwn = (status: ConnectorStatus): boolean => status.key === key && status.source === "registry";
  try {
    const client = new ControlClient(running, io.system.timers);
    await client.reload();
    const { connectors } = await client.status();
    return { running: true, url, connector: connectors.find(isOwn) };
  } catch (error) {
    return { running: true, url, problem: reasonOf(error) };
  }
}

/** One line about {@link Pickup} for a person; `expected` says whether the gateway should have the connector now. */
export function pickupText(pickup: Pickup, expected: boolean): string {
  if (!pickup.running || "problem" in pickup) return servesText(pickup);
  const gateway = gatewayText(pickup.url);
  const { connector } = pickup;
  if (connector === undefined) return expected ? `${gateway} has not picked it up yet.` : `${gateway} has let it go.`;
  return `${gateway} has picked it up: ${connector.state}${connector.reason === undefined ? "" : `, ${connector.reason}`}.`;
}

/** One line about a {@link Pickup} of several changes. */
export function servesText(pickup: Pickup): string {
  if (!pickup.running) return "No gateway is running; cortex-mcp serve starts one.";
  const gateway = gatewayText(pickup.url);
  return "problem" in pickup ? `${gateway} could not be told: ${pickup.problem}.` : `${gateway} has picked it up.`;
}

const gatewayText = (url: string | undefined): string =>
  url === undefined ? "The running gateway" : `The running gateway at ${url}`;
