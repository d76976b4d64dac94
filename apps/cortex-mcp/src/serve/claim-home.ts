import { rm } from "node:fs/promises";
import path from "node:path";
import { GatewayError, type Logger } from "@cortex-os/mcp-core";
import { acquireLock, ensureFolder } from "@cortex-os/mcp-registry";
import { ControlClient } from "../control/control-client.js";
import type { SystemPorts } from "../io.js";
import { sweepGatewayRecords, type GatewayRecord } from "../state/gateway-file.js";
import { ensurePrivateFolder } from "../state/private-folder.js";
import { findRunningGateway, type RunningGateway } from "../state/running-gateway.js";
import type { StatePaths } from "../state/state-paths.js";
import { oneLine, reasonOf, userError } from "../user-error.js";
import { orAborted } from "./or-aborted.js";

/** What claiming a home needs. */
export interface Claim<T> {
  readonly paths: StatePaths;
  readonly system: Pick<SystemPorts, "timers" | "monotonic" | "clock">;
  readonly logger: Logger;
  /** Ends whatever it waits for. */
  readonly signal: AbortSignal;
  /**
   * Given for a gateway with a URL: one without, which `cortex-mcp stdio` hosts, makes room for it. Runs before it is asked to, and throws when it would do so for nothing.
   */
  readonly outranks?: () => Promise<void>;
  /** Listens on `paths.socket`; runs when the home is ours. */
  readonly bind: () => Promise<T>;
}

/** How long one that is stopping is waited for, in milliseconds: a little longer than a stop may take. */
const PREDECESSOR_MS = 10_000;
const LOOK_AGAIN_MS = 100;
/** How long the lock is waited for at the end, in milliseconds. */
const LEAVE_MS = 500;

/**
 * Makes this process the gateway of its home: checks that there is none, clears away what one that died left, and
 * runs `bind`. A lock keeps two that start at once from clearing away each other's socket.
 *
 * One that is stopping is waited for, not an error: who restarts a gateway (`kill` and `serve` in one script, a supervisor that starts
 * the new one while the old one drains) wants the new one to run, and would have to guess how long to wait itself. So is one that makes room because it is outranked:
 * a desktop client's relay that stepped in for a `serve` that was killed must not keep the next one out.
 *
 * @throws GatewayError USER_INPUT naming pid and, if it has one, URL when a gateway of this home is running; whatever `outranks` or `bind` throws; the reason of `signal`
 */
export async function claimHome<T>(claim: Claim<T>): Promise<T> {
  const { paths, system, logger, signal, outranks } = claim;
  await orAborted(ensureFolder(paths.folder), signal);
  if (paths.runtimeFolder !== undefined) await orAborted(ensurePrivateFolder(paths.runtimeFolder), signal);
  const { monotonic, timers } = system;
  let predecessor: { readonly pid: number; readonly sinceMs: number } | undefined;
  for (;;) {
    const claimed = await claimNow(claim);
    if ("bound" in claimed) return claimed.bound;
    const { pid, stopping } = claimed.leaving;
    if (predecessor?.pid !== pid) {
      predecessor = { pid, sinceMs: monotonic.elapsedMs() };
      if (stopping !== true) await outranks?.();
      logger.info({ predecessor: pid }, "Waiting for the gateway that is stopping");
    }
    if (monotonic.elapsedMs() - predecessor.sinceMs > PREDECESSOR_MS) {
      const problem = `the gateway of ${paths.folder} (pid ${pid}) is stopping, and does not come to an end`;
      throw userError(`${problem}; end it with kill -9 ${pid}`);
    }
    if (stopping !== true) await orAborted(askForRoom(claim, claimed.leaving), signal);
    await orAborted(new Promise<void>((resolve) => void timers.after(LOOK_AGAIN_MS, resolve)), signal);
  }
}

/** What came of a claim: the home, or who is to leave it first, or was asked to. */
type Claimed<T> = { readonly bound: T } | { readonly leaving: GatewayRecord };

async function claimNow<T>({ paths, signal, outranks, bind }: Claim<T>): Promise<Claimed<T>> {
  const lock = await acquireLock(lockOf(paths), { signal });
  try {
    const running = await findRunningGateway(paths);
    const record = running?.record;
    const isOutranked = outranks !== undefined && record !== undefined && record.url === undefined;
    if (record !== undefined && (record.stopping === true || isOutranked)) return { leaving: record };
    if (running !== undefined) throw alreadyRunning(paths, running);
    await rm(paths.socket, { force: true });
    await sweepGatewayRecords(paths.gatewayFile);
    return { bound: await bind() };
  } finally {
    await lock.release();
  }
}

/** @throws GatewayError USER_INPUT when it does not make room */
async function askForRoom({ paths, system }: Claim<unknown>, record: GatewayRecord): Promise<void> {
  const gateway = { socket: record.socket, record };
  try {
    await new ControlClient(gateway, system.timers).yieldHome(system.clock.now());
  } catch (error) {
    // It may have ended meanwhile, or another one may have taken its place: the next look will tell.
    const now = await findRunningGateway(paths);
    if (now?.record?.pid === record.pid && now.record.stopping !== true)
      throw alreadyRunning(paths, gateway, reasonOf(error));
  }
}

/**
 * Runs `leave`, which removes what tells of this gateway, while nobody else looks: whoever claims the home finds all of it or nothing.
 *
 * @throws GatewayError REGISTRY_IO when the lock is not to be had; what is left then is cleared away by the next claim
 */
export async function leaveHome(paths: StatePaths, leave: () => Promise<void>): Promise<void> {
  const lock = await acquireLock(lockOf(paths), { waitMs: LEAVE_MS });
  try {
    await leave();
  } finally {
    await lock.release();
  }
}

const lockOf = ({ folder }: StatePaths): string => path.join(folder, "gateway.lock");

/** Whether `error` says that a gateway of this home is running already. */
export const isHomeTaken = (error: unknown): boolean => GatewayError.is(error) && error.data?.["homeTaken"] === true;

function alreadyRunning({ folder }: StatePaths, { record }: RunningGateway, refusal?: string): Error {
  return new GatewayError("USER_INPUT", oneLine(takenText(folder, record, refusal)), { data: { homeTaken: true } });
}

function takenText(folder: string, record: GatewayRecord | undefined, refusal: string | undefined): string {
  if (record === undefined) return `a gateway is starting already for ${folder}; wait for it`;
  const { pid, url } = record;
  const problem = `a gateway is running already for ${folder}: pid ${pid}`;
  const elsewhere = "or set CORTEX_HOME to another folder";
  if (url !== undefined) return `${problem} at ${url}; stop it with kill ${pid}, ${elsewhere}`;
  // Each of its clients has a process that would take over: there is no single one to stop.
  const stayed = refusal === undefined ? "" : `, and it does not make room (${refusal})`;
  const remedy = "quit those clients and start it before them, they will use it then";
  return `${problem}, started by cortex-mcp stdio for desktop clients, with no URL${stayed}; ${remedy}, ${elsewhere}`;
}
