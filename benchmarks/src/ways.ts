import { load, type Target } from "./load.js";
import type { OnRound } from "./on-round.js";
import { cpuSecondsOf } from "./process-cpu.js";
import { median, percentile } from "./statistics.js";
import type { Measurement, Round } from "./summary.js";

/** How long and how often to measure. */
export interface WaysOptions {
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  /** For each way, before anything counts: code that was not yet compiled would be measured otherwise. @default 2_000 */
  readonly warmUpMs?: number;
}

/** One way to a tool. */
export interface Way {
  readonly name: string;
  readonly target: Target;
  /** The process in the middle, if there is one: its CPU time is measured. */
  readonly pid?: number;
  /** Holds that process while another way is measured: it works in the background, and must not take the others' CPU time. @default false */
  readonly heldMeanwhile?: boolean;
}

const WARM_UP_AT_ONCE = 16;
const WARM_UP_MS = 2_000;

/**
 * Puts the same load on several ways to the same tool. They take turns within each round, so that noise hits them alike.
 * @throws Error as soon as one call fails
 */
export async function measureWays(
  ways: readonly Way[],
  { concurrencies, rounds, roundMs, warmUpMs = WARM_UP_MS }: WaysOptions,
  onRound: OnRound,
): Promise<Measurement[]> {
  const measured = concurrencies.flatMap((concurrency) =>
    ways.map((way) => ({ way, concurrency, rounds: new Array<Round>() })),
  );
  for (const { target } of ways) await load(target, WARM_UP_AT_ONCE, warmUpMs);
  for (let round = 0; round < rounds; round++) {
    // The ways take turns at being first, so that what drifts within a round hits each of them.
    const order = round % 2 === 0 ? measured : measured.toReversed();
    for (const cell of order) {
      const others = ways.filter((way) => way !== cell.way);
      cell.rounds.push(await withHeld(others, async () => measureOnce(cell.way, cell.concurrency, roundMs)));
    }
    onRound(round + 1, rounds);
  }
  return measured.map(({ way, ...rest }) => ({ way: way.name, ...rest }));
}

async function measureOnce({ target, pid }: Way, concurrency: number, roundMs: number): Promise<Round> {
  const cpuBefore = pid === undefined ? 0 : cpuSecondsOf(pid);
  const { calls, seconds, latenciesMs } = await load(target, concurrency, roundMs);
  return {
    callsPerSecond: calls / seconds,
    p50Ms: median(latenciesMs),
    p95Ms: percentile(latenciesMs, 0.95),
    p99Ms: percentile(latenciesMs, 0.99),
    ...(pid === undefined ? {} : { cpuMicros: ((cpuSecondsOf(pid) - cpuBefore) * 1e6) / calls }),
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
