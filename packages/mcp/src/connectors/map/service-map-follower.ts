import { messageOf, type Logger, type RandomSource } from "@cortex-os/mcp-core";
import type { ServiceMapPayload } from "@cortex-os/protocol";
import { BRAND } from "../brand.js";
import { ConnectorManifestError } from "../connector-manifest-error.js";
import type { ConnectorFeatureFlags } from "../feature-flags.js";
import { MapValidators } from "../map-validators.js";
import { RefreshScheduler } from "../refresh-scheduler.js";
import { shownUrl } from "../shown-url.js";
import { serviceMapStatus, type ServiceMapStatus } from "./follower-status.js";
import { KeyLook } from "./key-look.js";
import { MapAttempts, type MapAttemptsOptions } from "./map-attempts.js";
import type { MapDiff } from "./map-diff.js";
import type { Lifetime } from "./map-lifetime.js";
import type { MapOperation, MapOperationResult } from "./map-operations.js";
import { MapRecords, type MapRecordsOptions } from "./map-records.js";
import type { KnownMap } from "./map-shelf.js";
import { MapWatch } from "./map-watch.js";
import { RefreshRetry } from "./refresh-retry.js";

export type { ServiceMapStatus } from "./follower-status.js";
export type { FetchOutcome } from "./map-attempts.js";
export type { KnownMap } from "./map-shelf.js";

/** What a {@link ServiceMapFollower} follows, and through which ports. */
export interface ServiceMapFollowerOptions extends MapRecordsOptions, MapAttemptsOptions {
  readonly flags: ConnectorFeatureFlags;
  readonly random: RandomSource;
  /** How often the keys are looked at between fetches, in milliseconds: for keys that may change. @default never */
  readonly keysLookMs?: number | undefined;
}

/**
 * Follows a signed service map: the newest verified one is in force, never an older one, and the last good one while the publisher is away (R2, R4, R6;
 * docs/decisions/0010-service-map-lifetime.md). It tells; what becomes of the connectors is its listeners' business.
 */
export class ServiceMapFollower {
  readonly #logger: Logger;
  readonly #options: ServiceMapFollowerOptions;
  readonly #url: string;
  readonly #records: MapRecords;
  readonly #attempts: MapAttempts;
  readonly #watch: MapWatch;
  readonly #scheduler: RefreshScheduler | undefined;
  readonly #keyLook: KeyLook | undefined;
  readonly #retry: RefreshRetry | undefined;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #working = new Set<Promise<unknown>>();
  #flight: Promise<void> | undefined;
  #insisted = false;
  #toldLifetime: Lifetime | undefined;

  /**
   * Starts to refresh in the background, for the first time after one interval, unless the flags turn that off. The age of the map and the keys are watched in
   * either mode: that takes no fetch.
   */
  constructor(options: ServiceMapFollowerOptions) {
    const { serviceMapUrl, flags, logger, clock, timers, random } = options;
    this.#options = options;
    this.#logger = logger;
    this.#url = shownUrl(serviceMapUrl);
    const validators = new MapValidators(1);
    this.#records = new MapRecords(options, validators);
    this.#attempts = new MapAttempts(options, this.#records, validators);
    const onChange = (): void => this.#changed();
    this.#watch = new MapWatch({ serviceMapUrl, logger, onChange, timers });
    const { keysLookMs: everyMs } = options;
    if (everyMs !== undefined) this.#keyLook = new KeyLook({ timers, everyMs, look: async () => this.#lookAtKeys() });
    if (!flags.asyncRefresh) return;
    const onRefresh = async (): Promise<void> => this.#fly("scheduler");
    const intervalMs = flags.refreshIntervalMs;
    const scheduler = new RefreshScheduler({ intervalMs, onRefresh, logger, clock, random, timers });
    // Through the scheduler, which knows of one refresh at a time and moves its own next run.
    const retry = (): void => void scheduler.forceRefresh();
    this.#retry = new RefreshRetry({ clock, timers, random, intervalMs, retry });
    this.#scheduler = scheduler;
    scheduler.start();
  }

  /** The map that is served: fresh or stale, a pinned one too; `undefined` when there is none, or it is too old. */
  get inForce(): ServiceMapPayload | undefined {
    const { chosen } = this.#records.shelf;
    return chosen === undefined || chosen.lifetime.lifetime === "expired" ? undefined : chosen.payload;
  }

  /** The map that would be served if it were not too old. */
  get expired(): ServiceMapPayload | undefined {
    const { chosen } = this.#records.shelf;
    return chosen?.lifetime.lifetime === "expired" ? chosen.payload : undefined;
  }

  /** Why the last attempt failed, if it did; its `reason` is fit for clients. */
  get lastFailure(): ConnectorManifestError | undefined {
    return this.#attempts.lastError;
  }

  /** Whether there is a map to serve and the publisher's last answer still counts, so that {@link sync} has nothing to do. */
  get isFresh(): boolean {
    return this.#records.isFresh && this.inForce !== undefined;
  }

  /** The maps that can be shown, pinned or accepted, newest first. */
  get known(): readonly KnownMap[] {
    return this.#records.shelf.known;
  }

  /** What the held map would change; without one what the accepted map changed. `undefined` without any map. */
  get diff(): MapDiff | undefined {
    return this.#records.shelf.diff;
  }

  /**
   * Hears whenever the map in force may have changed, or anything that {@link status} says.
   * @returns the way out
   */
  subscribe(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Takes what was stored, verified anew; it is served until the first fetch ends. Done once; never rejects. */
  async load(): Promise<void> {
    await this.#track(this.#records.load());
    this.#changed();
  }

  /**
   * Makes sure that a map is in force, and the publisher's newest: asks when its last answer counts no more, or with `force`. Callers that arrive together
   * share one fetch. A fetch that fails is logged, and is no failure of this while there is a map to serve.
   *
   * @throws ConnectorManifestError when no map is in force
   */
  async sync(force = false): Promise<void> {
    if (!force && !this.#stopped && this.#hasNewest) {
      this.#logger.debug({ brand: BRAND, url: this.#url }, "Using cached manifest");
      // Timers may be late for it: a machine that slept, a clock that was set.
      if (this.#records.shelf.chosen?.lifetime.lifetime !== this.#toldLifetime) this.#changed();
    } else {
      try {
        await this.#fly("caller");
      } catch (error) {
        if (this.#stopped || this.inForce === undefined) throw error;
      }
    }
    // Of a map that was pinned nothing newer takes the place.
    if (this.inForce === undefined) throw this.#error("expired", "was pinned, and is too old to be served by now");
  }

  /**
   * Fetches now, because a person asks: also while the circuit is open.
   *
   * @throws ConnectorManifestError when that failed, whatever there is to serve
   */
  async refresh(): Promise<void> {
    this.#insisted = true;
    await this.#fly("caller");
  }

  /** How it stands. */
  status(): ServiceMapStatus {
    const { chosen, held, pinned } = this.#records.shelf;
    const { circuit, lastError, lastAttemptAtMs, lastSuccessAtMs } = this.#attempts;
    const progress = {
      url: this.#url,
      mode: this.#scheduler === undefined ? "synchronous" : "background",
      circuit: circuit.state,
      failures: circuit.failures,
      ...(lastError === undefined ? {} : { lastError: lastError.message }),
      ...(pinned === undefined ? {} : { pinned: pinned.map.payload.id }),
    } as const;
    const times = { lastAttemptAtMs, lastSuccessAtMs, nextRefreshAtMs: this.#nextRefreshAtMs() };
    return serviceMapStatus({ ...progress, ...times }, chosen, held);
  }

  /**
   * Pins, unpins, rolls back, accepts or resets the floor. Durable when it resolves.
   *
   * @throws GatewayError `USER_INPUT` when there is nothing to apply it to; `REGISTRY_IO` when it cannot be stored
   */
  async operate(operation: MapOperation): Promise<MapOperationResult> {
    if (this.#stopped) throw this.#error("aborted", "is not followed any more");
    const result = await this.#track(this.#records.operate(operation));
    this.#changed();
    return result;
  }

  /**
   * Ends at once: timers, the fetch, and whatever would have been told. Idempotent.
   *
   * @returns when nothing of it runs any more
   */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#scheduler?.stop();
    this.#keyLook?.stop();
    this.#retry?.cancel();
    this.#watch.stop();
    this.#listeners.clear();
    await Promise.allSettled(this.#working);
  }

  /** Whether the publisher's last answer still counts, and nothing better than what there is could come of asking. */
  get #hasNewest(): boolean {
    const { isFresh, shelf } = this.#records;
    return isFresh && (this.inForce !== undefined || shelf.pinned !== undefined);
  }

  get #stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** The one flight there is, or a new one. */
  async #fly(by: "scheduler" | "caller"): Promise<void> {
    if (this.#stopped) throw this.#error("aborted", "is not followed any more");
    this.#flight ??= this.#track(this.#run(by));
    return this.#flight;
  }

  async #run(by: "scheduler" | "caller"): Promise<void> {
    this.#retry?.cancel();
    try {
      await this.#attempts.run(this.#abort.signal, () => this.#insisted);
    } catch (error) {
      // The scheduler logs its own.
      if (by === "caller" && !this.#stopped) {
        this.#logger.warn({ brand: BRAND, url: this.#url, error: messageOf(error) }, "Refresh failed");
      }
      throw error;
    } finally {
      this.#flight = undefined;
      this.#insisted = false;
      if (!this.#stopped) this.#retry?.plan(this.#attempts.circuit);
      this.#changed();
    }
  }

  /** With other keys than before nothing is served that they do not vouch for, and in the background the publisher is asked at once. Never rejects. */
  async #lookAtKeys(): Promise<void> {
    // A flight has looked, or will.
    if (this.#flight !== undefined) return;
    const changed = await this.#track(this.#records.keysChanged());
    if (!changed || this.#stopped) return;
    this.#changed();
    await this.#scheduler?.forceRefresh();
  }

  #nextRefreshAtMs(): number | undefined {
    const due = [this.#scheduler?.nextRefreshAtMs, this.#retry?.dueMs].filter((ms) => ms !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Looks at how old the map in force is, and tells whoever listens. */
  #changed(): void {
    if (this.#stopped) return;
    const { chosen } = this.#records.shelf;
    this.#toldLifetime = chosen?.lifetime.lifetime;
    this.#watch.look(chosen);
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        this.#logger.error({ brand: BRAND, err: error }, "A listener of the service map failed");
      }
    }
  }

  /** For {@link stop}, which waits for it. */
  async #track<T>(work: Promise<T>): Promise<T> {
    this.#working.add(work);
    try {
      return await work;
    } finally {
      this.#working.delete(work);
    }
  }

  #error(rule: "aborted" | "expired", reason: string): ConnectorManifestError {
    return new ConnectorManifestError(rule, reason, { url: this.#options.serviceMapUrl });
  }
}
