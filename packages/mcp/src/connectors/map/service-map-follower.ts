import { BRAND, messageOf, type Logger, type RandomSource } from "@cortex-os/mcp-core";
import type { ServiceMapPayload } from "@cortex-os/protocol";
import { ConnectorManifestError } from "../connector-manifest-error.js";
import type { ConnectorFeatureFlags } from "../feature-flags.js";
import { MapValidators } from "../map-validators.js";
import { shownUrl } from "../shown-url.js";
import { endedWithin } from "./ended-within.js";
import { serviceMapStatus, type ServiceMapStatus } from "./follower-status.js";
import { KeyLook } from "./key-look.js";
import { MapAttempts, type MapAttemptsOptions } from "./map-attempts.js";
import type { MapDiff } from "./map-diff.js";
import type { Lifetime } from "./map-lifetime.js";
import type { MapOperation, MapOperationResult } from "./map-operations.js";
import { MapRecords, type MapRecordsOptions } from "./map-records.js";
import type { KnownMap } from "./map-shelf.js";
import { MapWatch } from "./map-watch.js";
import { isSkipped, RefreshPlan } from "./refresh-plan.js";

export type { ServiceMapStatus } from "./follower-status.js";
export type { FetchOutcome } from "./map-attempts.js";
export type { KnownMap } from "./map-shelf.js";

/** What a {@link ServiceMapFollower} follows, and through which ports. */
export interface ServiceMapFollowerOptions extends MapRecordsOptions, MapAttemptsOptions {
  readonly flags: ConnectorFeatureFlags;
  readonly random: RandomSource;
  /** How long an unforced {@link ServiceMapFollower.sync} of the synchronous mode waits while there is a map to serve, in milliseconds. @default 500 */
  readonly freshenWaitMs?: number | undefined;
  /** How often the keys are looked at between fetches, in milliseconds: for keys that may change. @default never */
  readonly keysLookMs?: number | undefined;
}

const DEFAULT_FRESHEN_WAIT_MS = 500;

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
  readonly #keyLook: KeyLook | undefined;
  readonly #plan: RefreshPlan | undefined;
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
    const { circuit } = this.#attempts;
    const refresh = async (): Promise<void> => this.#fly("plan");
    const intervalMs = flags.refreshIntervalMs;
    this.#plan = new RefreshPlan({ intervalMs, refresh, circuit, logger, clock, random, timers });
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
   * share one fetch. A fetch that fails is logged, and is no failure of this while there is a map to serve. In synchronous mode, where lists wait for this, one
   * that takes long goes on behind whoever did not force it and has a map to serve.
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
        const flight = this.#fly("caller");
        const { timers, freshenWaitMs = DEFAULT_FRESHEN_WAIT_MS } = this.#options;
        const hurries = this.#plan === undefined && !force && this.inForce !== undefined;
        if (hurries) await endedWithin(flight, freshenWaitMs, timers);
        // The map may have become too old meanwhile.
        if (!hurries || this.inForce === undefined) await flight;
      } catch (error) {
        if (this.#stopped || this.inForce === undefined) throw error;
      }
    }
    // Of a map that was pinned nothing newer takes the place.
    if (this.inForce === undefined) {
      const advice = "Follow the newest again with `cortex-mcp map pin --off`.";
      throw this.#error("expired", "the pinned service map is too old to be served", advice);
    }
  }

  /**
   * Fetches now, because a person asks: also while the circuit is open.
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
      mode: this.#plan === undefined ? "synchronous" : "background",
      circuit: circuit.state,
      failures: circuit.failures,
      ...(lastError === undefined ? {} : { lastError: lastError.message.replace(/\.$/, "") }),
      ...(pinned === undefined ? {} : { pinned: pinned.map.payload.id }),
    } as const;
    const times = { lastAttemptAtMs, lastSuccessAtMs, nextRefreshAtMs: this.#plan?.nextAtMs };
    return serviceMapStatus({ ...progress, ...times }, chosen, held);
  }

  /**
   * Pins, unpins, rolls back, accepts or resets the floor. Durable when it resolves.
   * @throws GatewayError `USER_INPUT` when there is nothing to apply it to; `REGISTRY_IO` when it cannot be stored
   */
  async operate(operation: MapOperation): Promise<MapOperationResult> {
    if (this.#stopped) throw this.#error("aborted", "is not followed any more");
    const result = await this.#track(this.#records.operate(operation));
    this.#changed();
    // Behind the person's back: a publisher that hangs must not keep them waiting.
    if (operation.kind === "reset-floor") void this.#track(this.#askAnew());
    return result;
  }

  /**
   * Ends at once: timers, the fetch, and whatever would have been told. Idempotent.
   * @returns when nothing of it runs any more
   */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#plan?.stop();
    this.#keyLook?.stop();
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
  async #fly(by: "plan" | "caller"): Promise<void> {
    if (this.#stopped) throw this.#error("aborted", "is not followed any more");
    this.#flight ??= this.#track(this.#run(by));
    return this.#flight;
  }

  async #run(by: "plan" | "caller"): Promise<void> {
    let failure: unknown;
    if (this.#insisted || this.#attempts.circuit.state !== "open") this.#plan?.began();
    try {
      await this.#attempts.run(this.#abort.signal, () => this.#insisted);
    } catch (error) {
      failure = error;
      // The plan logs its own.
      if (by === "caller" && !this.#stopped) {
        const fields = { brand: BRAND, url: this.#url, error: messageOf(error) };
        if (isSkipped(error)) this.#logger.debug(fields, "Refresh skipped");
        else this.#logger.warn(fields, "Refresh failed");
      }
      throw error;
    } finally {
      this.#flight = undefined;
      this.#insisted = false;
      if (!this.#stopped) this.#plan?.ended(failure);
      this.#changed();
    }
  }

  /** Asks the publisher for what the floor kept out, also while the circuit is open: a person wants it. Never rejects. */
  async #askAnew(): Promise<void> {
    if (this.#flight !== undefined) {
      // What is on its way was asked for under the old floor, and may put it back.
      await Promise.allSettled([this.#flight]);
      if (!this.#stopped) await Promise.allSettled([this.#records.operate({ kind: "reset-floor" })]);
    }
    if (this.#stopped) return;
    this.#insisted = true;
    // Not through the plan: its run, if that is what just ended, would still count as under way.
    await Promise.allSettled([this.#fly("caller")]);
  }

  /** With other keys than before nothing is served that they do not vouch for, and in the background the publisher is asked at once. Never rejects. */
  async #lookAtKeys(): Promise<void> {
    // A flight has looked, or will.
    if (this.#flight !== undefined) return;
    const changed = await this.#track(this.#records.keysChanged());
    if (!changed || this.#stopped) return;
    this.#changed();
    await this.#plan?.now();
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

  #error(rule: "aborted" | "expired", reason: string, advice?: string): ConnectorManifestError {
    return new ConnectorManifestError(rule, reason, { url: this.#options.serviceMapUrl, advice });
  }
}
