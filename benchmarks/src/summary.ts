import { TOO_NOISY } from "./comparison.js";
import { ROAD } from "./way-names.js";
import { median } from "./statistics.js";

/** What one way showed in one round. */
export interface Round {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** CPU time of the process in the middle, in microseconds a call; absent where there is none. */
  readonly cpuMicros?: number;
  /** The most memory that the process held during the round; absent where there is none. */
  readonly peakBytes?: number;
}

/** One way at one concurrency, round by round. */
export interface Measurement {
  readonly way: string;
  readonly concurrency: number;
  readonly rounds: readonly Round[];
  /** What the process held in memory before the first round. */
  readonly restingBytes?: number;
  /** Why it could not be measured to the end. */
  readonly failure?: string;
}

/** One row of the table: medians over the rounds. */
export interface Cell {
  readonly way: string;
  readonly concurrency: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros?: number;
  /** Fastest round against slowest: how noisy the machine was. */
  readonly spread: number;
}

/** The gateway against the bare proxy at one concurrency: the median of the rounds' ratios, which noise from outside moves least. */
export interface Ratio {
  readonly concurrency: number;
  /** The gateway's calls a second over the bare proxy's. */
  readonly throughput: number;
  /** The gateway's CPU a call over the bare proxy's. */
  readonly cpu: number;
  /** Whether a round of the gateway or the proxy was twice as fast as another: then the ratio says little. */
  readonly noisy: boolean;
}

/** Folds the rounds of one measurement. */
export function cellOf({ way, concurrency, rounds }: Measurement): Cell {
  const speeds = rounds.map(({ callsPerSecond }) => callsPerSecond);
  const cpu = rounds.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
  return {
    way,
    concurrency,
    callsPerSecond: median(speeds),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p95Ms: median(rounds.map(({ p95Ms }) => p95Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
    ...(cpu.length === 0 ? {} : { cpuMicros: median(cpu) }),
    spread: Math.max(...speeds) / Math.min(...speeds),
  };
}

/** {@link Ratio} for every concurrency at which both were measured. */
export function ratiosOf(measurements: readonly Measurement[]): Ratio[] {
  return measurements.flatMap((ours) => {
    const bare = measurements.find(
      ({ way, concurrency }) => way === ROAD.bareProxy && concurrency === ours.concurrency,
    );
    return ours.way === ROAD.gateway && bare !== undefined ? [ratioOf(ours, bare)] : [];
  });
}

function ratioOf(ours: Measurement, bare: Measurement): Ratio {
  const pairs = ours.rounds.flatMap((round, at) => {
    const other = bare.rounds[at];
    return other === undefined ? [] : [[round, other] as const];
  });
  return {
    concurrency: ours.concurrency,
    throughput: median(pairs.map(([a, b]) => a.callsPerSecond / b.callsPerSecond)),
    cpu: median(pairs.map(([a, b]) => (a.cpuMicros ?? 0) / (b.cpuMicros ?? 1))),
    noisy: Math.max(cellOf(ours).spread, cellOf(bare).spread) > TOO_NOISY,
  };
}
