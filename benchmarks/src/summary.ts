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
  /** The most memory of all rounds. */
  readonly peakBytes?: number;
  /** What of it came on top of the memory at rest. */
  readonly overRestBytes?: number;
  /** Fastest round against slowest: how noisy the machine was. */
  readonly spread: number;
}

/** Folds the rounds of one measurement. */
export function cellOf({ way, concurrency, rounds, restingBytes }: Measurement): Cell {
  const speeds = rounds.map(({ callsPerSecond }) => callsPerSecond);
  const cpu = rounds.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
  const peaks = rounds.flatMap(({ peakBytes }) => (peakBytes === undefined ? [] : [peakBytes]));
  const peakBytes = Math.max(...peaks);
  return {
    way,
    concurrency,
    callsPerSecond: median(speeds),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p95Ms: median(rounds.map(({ p95Ms }) => p95Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
    ...(cpu.length === 0 ? {} : { cpuMicros: median(cpu) }),
    ...(peaks.length === 0 ? {} : { peakBytes }),
    ...(peaks.length === 0 || restingBytes === undefined ? {} : { overRestBytes: peakBytes - restingBytes }),
    spread: Math.max(...speeds) / Math.min(...speeds),
  };
}
