import { once } from "node:events";
import { createConnection } from "node:net";
import { GatewayError } from "@cortex-os/mcp-core";
import { readGatewayRecord, type GatewayRecord } from "./gateway-file.js";
import type { StatePaths } from "./state-paths.js";

/** A gateway that answers on the control socket of a home. */
export interface RunningGateway {
  readonly socket: string;
  /** What it wrote about itself; `undefined` when that was lost or damaged. */
  readonly record: GatewayRecord | undefined;
}

/**
 * {@link findRunningGateway}, for commands that are of no use without one.
 *
 * @throws GatewayError NOT_READY when none is running
 */
export async function requireRunningGateway(paths: StatePaths): Promise<RunningGateway> {
  const running = await findRunningGateway(paths);
  if (running !== undefined) return running;
  throw new GatewayError("NOT_READY", `no gateway is running for ${paths.folder}; cortex-mcp serve starts one`);
}

/**
 * The gateway of this home that is running now. A record or a socket file left over from one that died counts for
 * nothing: only a socket that accepts a connection does.
 */
export async function findRunningGateway(paths: StatePaths): Promise<RunningGateway | undefined> {
  const record = await readGatewayRecord(paths.gatewayFile);
  // The record first: the folder for long socket paths depends on the environment, which may have changed since.
  const candidates = new Set(record === undefined ? [paths.socket] : [record.socket, paths.socket]);
  for (const socket of candidates) {
    if (!(await accepts(socket))) continue;
    // Once more: what was read may be of one that is gone. A gateway writes its record before it listens.
    const current = await readGatewayRecord(paths.gatewayFile);
    return { socket, record: current?.socket === socket ? current : undefined };
  }
  return undefined;
}

async function accepts(socket: string): Promise<boolean> {
  const connection = createConnection(socket);
  try {
    await once(connection, "connect");
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}
