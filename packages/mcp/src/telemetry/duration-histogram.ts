import { Histogram, type Registry } from "prom-client";

/** One series of a {@link DurationHistogram}: its observations, counted in plain numbers. */
export class DurationSeries {
  /** Observations by bucket, each in one only; the last of them are beyond the highest bound. */
  readonly counts: number[];
  readonly #bounds: readonly number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** The sum of what was observed, in seconds. */
  get sum(): number {
    return this.#sum;
  }

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > (this.#bounds[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
  }
}

/** What a {@link DurationHistogram} is. */
export interface DurationHistogramOptions<T extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly T[];
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

/**
 * A histogram for what is observed with every call. prom-client makes a text of the labels each time it is told a value, which costs a call more than all the rest
 * that is counted of it (R18); here whoever observes holds its {@link DurationSeries}, and prom-client only asks for them when somebody looks.
 */
export class DurationHistogram<T extends string> extends Histogram<T> {
  readonly #options: DurationHistogramOptions<T>;
  /** What is said of it beside its values. */
  readonly #empty: Histogram<T>;
  readonly #series = new Map<DurationSeries, Readonly<Record<T, string>>>();

  constructor(options: DurationHistogramOptions<T>) {
    const { name, help, labelNames, buckets, registry } = options;
    const same = { name, help, labelNames: [...labelNames], buckets: [...buckets] };
    super({ ...same, registers: [registry] });
    this.#empty = new Histogram({ ...same, registers: [] });
    this.#options = options;
  }

  /** Begins a series. Nobody else may have begun one with these labels. */
  begin(labels: Readonly<Record<T, string>>): DurationSeries {
    const series = new DurationSeries(this.#options.buckets);
    this.#series.set(series, labels);
    return series;
  }

  /** Its series is told no more. */
  end(series: DurationSeries): void {
    this.#series.delete(series);
  }

  override async get(): ReturnType<Histogram<T>["get"]> {
    const empty = await this.#empty.get();
    return { ...empty, values: [...this.#series].flatMap(([series, labels]) => this.#valuesOf(series, labels)) };
  }

  /** What prom-client's registry asks for, rather than for {@link get}, where there is one. */
  getForPromString(): ReturnType<Histogram<T>["get"]> {
    return this.get();
  }

  #valuesOf(series: DurationSeries, labels: Readonly<Record<T, string>>) {
    const { name, buckets } = this.#options;
    let count = 0;
    const cumulative = series.counts.map((inBucket, at) => {
      count += inBucket;
      return { metricName: `${name}_bucket`, labels: { le: buckets[at] ?? "+Inf", ...labels }, value: count };
    });
    return [
      ...cumulative,
      { metricName: `${name}_sum`, labels, value: series.sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
