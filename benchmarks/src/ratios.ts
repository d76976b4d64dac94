import { TOO_NOISY } from "./comparison.js";
import { median } from "./statistics.js";
import { cellOf, type Measurement, type Round } from "./summary.js";

/** One way against another at one concurrency: medians of the rounds' ratios, which noise from outside moves least. */
export interface Ratio {
  readonly way: string;
  readonly baseline: string;
  readonly concurrency: number;
  /** Calls a second over the baseline's. */
  readonly throughput: number;
  /** CPU a call over the baseline's; absent where one of the two has no process. */
  readonly cpu?: number;
  /** Whether a round of either was twice as fast as another: then the ratio says little. */
  readonly noisy: boolean;
}

/** What one way adds to the median latency, over what another adds, at one concurrency. */
export interface Added {
  readonly way: string;
  readonly concurrency: number;
  /** In milliseconds: the median of the rounds. */
  readonly p50Ms: number;
  /** Over what the bare way adds: the median of the rounds' ratios. */
  readonly ratio: number;
}

/** {@link Ratio} of every other way, at every concurrency at which both were measured. */
export function ratiosTo(baseline: string, measurements: readonly Measurement[]): Ratio[] {
  return measurements.flatMap((ours) => {
    const base = sameLoad(measurements, baseline, ours);
    return ours.way === baseline || base === undefined ? [] : [ratioOf(ours, base)];
  });
}

/** {@link Added} of every way but `direct` and `bare`, beyond `direct` and over `bare`. */
export function addedTo(direct: string, bare: string, measurements: readonly Measurement[]): Added[] {
  return measurements.flatMap((ours) => {
    const nothing = sameLoad(measurements, direct, ours);
    const least = sameLoad(measurements, bare, ours);
    if (nothing === undefined || least === undefined || ours === nothing || ours === least) return [];
    const beyond = (all: Measurement): number[] => pairsOf(all, nothing).map(([a, b]) => a.p50Ms - b.p50Ms);
    const [added, bareAdded] = [beyond(ours), beyond(least)];
    const ratio = median(added.map((value, at) => value / (bareAdded[at] ?? Number.NaN)));
    return [{ way: ours.way, concurrency: ours.concurrency, p50Ms: median(added), ratio }];
  });
}

function ratioOf(ours: Measurement, base: Measurement): Ratio {
  const pairs = pairsOf(ours, base);
  const cpu = pairs.flatMap(([a, b]) =>
    a.cpuMicros === undefined || b.cpuMicros === undefined ? [] : [a.cpuMicros / b.cpuMicros],
  );
  return {
    way: ours.way,
    baseline: base.way,
    concurrency: ours.concurrency,
    throughput: median(pairs.map(([a, b]) => a.callsPerSecond / b.callsPerSecond)),
    ...(cpu.length === 0 ? {} : { cpu: median(cpu) }),
    noisy: Math.max(cellOf(ours).spread, cellOf(base).spread) > TOO_NOISY,
  };
}

const sameLoad = (all: readonly Measurement[], name: string, { concurrency }: Measurement): Measurement | undefined =>
  all.find((other) => other.way === name && other.concurrency === concurrency);

const pairsOf = (ours: Measurement, base: Measurement): (readonly [Round, Round])[] =>
  ours.rounds.flatMap((round, at) => {
    const other = base.rounds[at];
    return other === undefined ? [] : [[round, other] as const];
  });
