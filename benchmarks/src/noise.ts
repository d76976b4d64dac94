import { loadavg } from "node:os";
import { median } from "./statistics.js";

/** How noisy the machine was while something was measured. */
export interface Noise {
  /** What the same work took, in milliseconds, before each round: it would always take the same on a machine that does nothing else. */
  readonly calibrationMs: readonly number[];
  /** The system's load of the last minute, at the beginning and at the end. The load of the benchmark itself is in the second. */
  readonly loadAverage: readonly [before: number, after: number];
}

const WORK = 4_000_000;

/** Does a fixed amount of work with nothing but the processor, and tells how long it took, in milliseconds. */
function calibrate(): number {
  const beforeMs = performance.now();
  let value = 1;
  for (let at = 0; at < WORK; at++) value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0;
  // Whatever came out: that it is looked at keeps the compiler from leaving the work out.
  return value === 0 ? Number.NaN : performance.now() - beforeMs;
}

/** Watches the machine: {@link NoiseWatch.beforeRound} before each round, {@link NoiseWatch.noise} at the end. */
export class NoiseWatch {
  readonly #before = oneMinute();
  readonly #calibrationMs: number[] = [];

  beforeRound(): void {
    this.#calibrationMs.push(calibrate());
  }

  get noise(): Noise {
    return { calibrationMs: this.#calibrationMs, loadAverage: [this.#before, oneMinute()] };
  }
}

/** A sentence about it, for people. */
export function noiseSentence({ calibrationMs, loadAverage }: Noise): string {
  const [before, after] = loadAverage;
  const fastest = Math.min(...calibrationMs);
  const shown = [median(calibrationMs), Math.max(...calibrationMs)].map((ms) => (ms / fastest).toFixed(2));
  return `noise: the same work took ${shown[0]} (median) to ${shown[1]} (worst) of its fastest round's time; load ${before.toFixed(1)} before, ${after.toFixed(1)} after`;
}

const oneMinute = (): number => loadavg()[0] ?? Number.NaN;
