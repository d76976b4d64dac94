import type { ConnectorOrigin, ConnectorSpec, Logger, Monotonic } from "@cortex-os/mcp-core";
import type { ConnectorSource, SourceState } from "./connector-source.js";

/** What {@link ConnectorSources} works through. */
export interface ConnectorSourcesDeps {
  readonly sources: readonly ConnectorSource[];
  readonly monotonic: Monotonic;
  readonly logger: Logger;
  /** A source named its connectors, or says how it is. */
  readonly onChange: () => void;
}

/** Between two readings that calls cause of a source that is read on demand and is not fresh. */
const FOLLOW_GAP_MS = 1_000;

/** Where connectors come from: what each source named last, and how it is. A source can be replaced while everything runs. */
export class ConnectorSources {
  readonly #deps: ConnectorSourcesDeps;
  #sources: readonly ConnectorSource[];
  readonly #named = new Map<ConnectorOrigin, readonly ConnectorSpec[]>();
  readonly #problems = new Map<ConnectorOrigin, string>();
  readonly #settling = new Set<ConnectorOrigin>();
  /** Sources that came in the place of another one and have not said yet what there is. */
  readonly #succeeding = new Set<ConnectorSource>();
  #closed = false;
  #followedMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ConnectorSourcesDeps) {
    this.#deps = deps;
    this.#sources = deps.sources;
  }

  /** Reads every source for the first time. */
  async start(): Promise<void> {
    await Promise.all(this.#sources.map((source) => this.#start(source)));
  }

  /** The connectors that the source of this origin named last. */
  named(origin: ConnectorOrigin): readonly ConnectorSpec[] {
    return this.#named.get(origin) ?? [];
  }

  /** Why sources cannot be read at present; empty when all is well. */
  problems(): readonly string[] {
    return [...this.#problems.values()];
  }

  /** Whether a source has more to say soon. */
  get isSettling(): boolean {
    return this.#settling.size > 0;
  }

  /** Reads every source again now, or the one of that origin. */
  async reload(origin?: ConnectorOrigin): Promise<void> {
    const wanted = this.#sources.filter((source) => origin === undefined || source.origin === origin);
    await Promise.all(wanted.map((source) => source.reload()));
  }

  /** Has the sources read that are read on demand; empty when there is nothing to wait for. */
  freshen(): readonly Promise<void>[] {
    return this.#sources.flatMap((source) => source.freshen?.() ?? []);
  }

  /** Begins what {@link freshen} waits for. At most once a second: what cannot be made fresh is not asked for with every call. */
  follow(): void {
    if (!this.#sources.some(isOnDemand)) return;
    const nowMs = this.#deps.monotonic.elapsedMs();
    if (nowMs - this.#followedMs < FOLLOW_GAP_MS) return;
    for (const freshening of this.freshen()) {
      this.#followedMs = nowMs;
      // Whatever came of it is in the log, and the source's problem.
      freshening.catch(() => {});
    }
  }

  /**
   * Puts `next` in the place of the source of that origin, or nothing. What that one named stays until `next` has said what there is; connectors that both name
   * are left alone. Resolves when `next` has been read and the other one is closed. One replacement after the other.
   *
   * @throws what `next.start` throws; everything is then as it was
   */
  async replace(origin: ConnectorOrigin, next: ConnectorSource | undefined): Promise<void> {
    if (this.#closed) {
      await closeAll(next === undefined ? [] : [next], this.#deps.logger);
      return;
    }
    const before = this.#sources;
    this.#sources = [...before.filter((source) => source.origin !== origin), ...(next === undefined ? [] : [next])];
    const gone = before.filter((source) => source.origin === origin);
    if (next === undefined) this.#forget(origin);
    else {
      this.#succeeding.add(next);
      try {
        await this.#start(next);
      } catch (error) {
        this.#sources = before;
        this.#succeeding.delete(next);
        await closeAll([next], this.#deps.logger);
        throw error;
      }
    }
    await closeAll(gone, this.#deps.logger);
  }

  /** Closes every source. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await closeAll(this.#sources, this.#deps.logger);
  }

  async #start(source: ConnectorSource): Promise<void> {
    await source.start((specs, state) => {
      // One that was replaced may still be finishing: its word no longer counts.
      if (this.#sources.includes(source)) this.#onSpecs(source, specs, state);
    });
  }

  #onSpecs(source: ConnectorSource, specs: readonly ConnectorSpec[], state: SourceState = {}): void {
    const { origin } = source;
    const { problem, settling = false } = state;
    if (settling) this.#settling.add(origin);
    else {
      this.#settling.delete(origin);
      this.#succeeding.delete(source);
    }
    if (!this.#succeeding.has(source)) this.#named.set(origin, specs);
    if (problem === undefined) this.#problems.delete(origin);
    else this.#problems.set(origin, problem);
    this.#deps.onChange();
  }

  #forget(origin: ConnectorOrigin): void {
    this.#named.delete(origin);
    this.#problems.delete(origin);
    this.#settling.delete(origin);
    this.#deps.onChange();
  }
}

async function closeAll(sources: readonly ConnectorSource[], logger: Logger): Promise<void> {
  const closed = await Promise.allSettled(sources.map((source) => source.close()));
  for (const result of closed) {
    if (result.status === "rejected") logger.error({ err: result.reason }, "A source did not close cleanly");
  }
}

const isOnDemand = (source: ConnectorSource): boolean => source.freshen !== undefined;
