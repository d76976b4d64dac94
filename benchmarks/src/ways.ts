import { load, type Targets } from "./load.js";
import type { OnRound } from "./on-round.js";
import { cpuSecondsOf } from "./process-cpu.js";
import { forgetPeakOf, peakResidentBytesOf, residentBytesOf } from "./process-memory.js";
import { median, percentile } from "./statistics.js";
import type { Measurement, Round } from "./summary.js";

/** How long and how often to measure. */
export interface WaysOptions {
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  /** For each way, before anything counts: code that was not yet compiled would be measured otherwise. @default 2_000 */
  readonly warmUpMs?: number;
  /** Called before each round, while nothing is under load. */
  readonly beforeRound?: () => void;
}

/** One way to a tool. */
export interface Way {
  readonly name: string;
  readonly target: Targets;
  /** What is called before anything counts. What the process holds after that is its memory at rest. @default the target */
  readonly warmUp?: Targets;
  /** The process in the middle, if there is one: its CPU time and its memory are measured. */
  readonly pid?: number;
  /** Holds that process while another way is measured: it works in the background, and must not take the others' CPU time. @default false */
  readonly heldMeanwhile?: boolean;
  /** Whether a failure of this way is told beside the others' figures, as of a program that is not ours; otherwise it ends the measurement. @default false */
  readonly mayFail?: boolean;
}

const WARM_UP_AT_ONCE = 16;
const WARM_UP_MS = 2_000;

/** One way at one concurrency, as it is measured. */
interface Lane {
  readonly way: Way;
  readonly concurrency: number;
  readonly rounds: Round[];
  failure?: string;
}

/**
 * Puts the same load on several ways to the same tool. They take turns within each round, so that noise hits them alike.
 * @throws Error as soon as one call fails, unless its way may fail
 */
export async function measureWays(
  ways: readonly Way[],
  { concurrencies, rounds, roundMs, warmUpMs = WARM_UP_MS, beforeRound }: WaysOptions,
  onRound: OnRound,
): Promise<Measurement[]> {
  const lanes: Lane[] = concurrencies.flatMap((concurrency) => ways.map((way) => ({ way, concurrency, rounds: [] })));
  for (const way of ways) {
    const own = lanes.filter((lane) => lane.way === way);
    await orFail(own, async () => load(way.warmUp ?? way.target, WARM_UP_AT_ONCE, warmUpMs));
  }
  const atRest = new Map(ways.map((way) => [way, restOf(way, lanes)]));
  for (let round = 0; round < rounds; round++) {
    beforeRound?.();
    // The ways take turns at being first, so that what drifts within a round hits each of them.
    const order = round % 2 === 0 ? lanes : lanes.toReversed();
    for (const lane of order) {
      if (lane.failure !== undefined) continue;
      const others = ways.filter((way) => way !== lane.way);
      await orFail([lane], async () => {
        lane.rounds.push(await withHeld(others, async () => measureOnce(lane.way, lane.concurrency, roundMs)));
      });
    }
    onRound(round + 1, rounds);
  }
  return lanes.map(({ way, ...rest }) => {
    const restingBytes = atRest.get(way);
    return { way: way.name, ...rest, ...(restingBytes === undefined ? {} : { restingBytes }) };
  });
}

/** Does the work of these lanes, which are all of one way. */
async function orFail(lanes: readonly Lane[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    for (const lane of lanes) {
      if (lane.way.mayFail !== true) throw error;
      lane.failure = error instanceof Error ? error.message : String(error);
    }
  }
}

function restOf(way: Way, lanes: readonly Lane[]): number | undefined {
  const isUp = lanes.some((lane) => lane.way === way && lane.failure === undefined);
  return way.pid !== undefined && isUp ? residentBytesOf(way.pid) : undefined;
}

async function measureOnce({ target, pid }: Way, concurrency: number, roundMs: number): Promise<Round> {
  const cpuBefore = pid === undefined ? 0 : cpuSecondsOf(pid);
  if (pid !== undefined) forgetPeakOf(pid);
  const { calls, seconds, latenciesMs } = await load(target, concurrency, roundMs);
  return {
    callsPerSecond: calls / seconds,
    p50Ms: median(latenciesMs),
    p95Ms: percentile(latenciesMs, 0.95),
    p99Ms: percentile(latenciesMs, 0.99),
    ...(pid === undefined
      ? {}
      : { cpuMicros: ((cpuSecondsOf(pid) - cpuBefore) * 1e6) / calls, peakBytes: peakResidentBytesOf(pid) }),
  };
}

async function withHeld<T>(ways: readonly Way[], work: () => Promise<T>): Promise<T> {
  const held = ways.flatMap(({ pid, heldMeanwhile = false }) => (heldMeanwhile && pid !== undefined ? [pid] : []));
  for (const pid of held) process.kill(pid, "SIGSTOP");
  try {
    return await work();
  } finally {
    for (const pid of held) process.kill(pid, "SIGCONT");
  }
}
