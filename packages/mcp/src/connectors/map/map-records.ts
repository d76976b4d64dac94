import { BRAND, messageOf, type Clock, type Logger, type Monotonic } from "@cortex-os/mcp-core";
import type { KeyRing, ServiceMapPayload } from "@cortex-os/protocol";
import { ManifestCache } from "../cache.js";
import { ConnectorManifestError } from "../connector-manifest-error.js";
import type { MapValidators } from "../map-validators.js";
import type { LoadedServiceMap } from "../service-map.js";
import { shownUrl } from "../shown-url.js";
import { heldReason } from "./follower-status.js";
import { sameConnectors } from "./map-diff.js";
import { clockFrom } from "./map-lifetime.js";
import { applyMapOperation, type MapOperation, type MapOperationResult } from "./map-operations.js";
import { MapShelf } from "./map-shelf.js";
import { memoryServiceMapStore } from "./service-map-store.js";
import type { ServiceMapStore, StoredServiceMaps } from "./stored-service-maps.js";
import { takeMap, type ShelvedMap, type Taken, type TakenMap } from "./take-map.js";

/** What became of a map that the publisher sent or confirmed. */
export type FetchedOutcome = "changed" | "unchanged" | "held";

/** What {@link MapRecords} works through. */
export interface MapRecordsOptions {
  readonly serviceMapUrl: string;
  readonly apiKey?: string | undefined;
  readonly keys: () => Promise<KeyRing>;
  /** @default 7 days */
  readonly maxStaleMs?: number | undefined;
  /** @default true */
  readonly holdRemovals?: boolean | undefined;
  /** @default memory */
  readonly store?: ServiceMapStore | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
}

const DEFAULT_MAX_STALE_MS = 7 * 24 * 3_600_000;

/** The service maps of one publisher: what was accepted, what is stored, and whether the last answer is still fresh. Stores first, then serves. */
export class MapRecords {
  readonly shelf: MapShelf;
  readonly #options: MapRecordsOptions;
  readonly #url: string;
  readonly #store: ServiceMapStore;
  readonly #validators: MapValidators;
  /** The last good answer, by a clock that cannot be set back: while it is fresh nobody asks the publisher. */
  readonly #answer: ManifestCache<ServiceMapPayload>;
  #answerClock: Clock;
  #loading: Promise<void> | undefined;
  #heldTold = "";

  constructor(options: MapRecordsOptions, validators: MapValidators) {
    this.#options = options;
    this.#validators = validators;
    this.#url = shownUrl(options.serviceMapUrl);
    this.#store = options.store ?? memoryServiceMapStore();
    this.shelf = new MapShelf(options.maxStaleMs ?? DEFAULT_MAX_STALE_MS, options);
    this.#answerClock = options.clock;
    this.#answer = new ManifestCache({ now: () => this.#answerClock.now() });
  }

  /** Whether the publisher's last answer still counts. What was stored before a restart is none: it is served while the first fetch runs. */
  get isFresh(): boolean {
    return this.#answer.get() !== undefined;
  }

  /** Takes what is stored, verified anew. Done once; never rejects. */
  async load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /**
   * The keys of this moment; with other ones than before everything is verified anew, and what they do not vouch for is served no more.
   *
   * @throws ConnectorManifestError `request` when there are none
   */
  async keysOfNow(): Promise<KeyRing> {
    let keys: KeyRing;
    try {
      keys = await this.#options.keys();
    } catch (error) {
      throw this.#error("request", "cannot be verified: there is no key ring", error);
    }
    const before = this.shelf.keys?.fingerprint;
    if (before === keys.fingerprint) return keys;
    const { logger } = this.#options;
    for (const reason of this.shelf.useKeys(keys)) {
      logger.warn({ brand: BRAND, url: this.#url, reason }, "A stored service map is dropped");
    }
    // The publisher's last answer was judged by other keys.
    if (before !== undefined) this.#answer.invalidate();
    return keys;
  }

  /** Whether the keys are others than when they were looked at last; what the new ones do not vouch for is served no more. Never rejects. */
  async keysChanged(): Promise<boolean> {
    const before = this.shelf.keys?.fingerprint;
    // Nobody has asked for anything yet.
    if (before === undefined) return false;
    try {
      return (await this.keysOfNow()).fingerprint !== before;
    } catch {
      // The next attempt says so.
      return false;
    }
  }

  /**
   * Takes what the loader brought: stored durably, then served.
   *
   * @throws ConnectorManifestError when it must not be served (`older`, `conflict`, `expired`), or could not be stored (`state`)
   */
  async take({ payload, expiresAtMs, received }: LoadedServiceMap): Promise<FetchedOutcome> {
    const nowMs = this.#options.clock.now();
    let outcome: FetchedOutcome = this.shelf.chosen?.payload === payload ? "unchanged" : "changed";
    if (received === undefined) {
      this.shelf.adoptUnstored(payload, expiresAtMs);
    } else {
      const { body, etag, map } = received;
      const stored = { body, receivedAtMs: nowMs, ...(etag === undefined ? {} : { etag }) };
      // The ring may have changed while the map was on its way.
      if (this.shelf.read(stored) === undefined)
        throw this.#error("unknown-key", "is signed with a key that was removed");
      const taken = await this.#takeVerified({ stored, map });
      if (taken.kind === "refused") throw this.#error(taken.rule, taken.reason);
      this.shelf.dropUnstored();
      this.shelf.confirm(map, expiresAtMs);
      this.#refuseFrozen(map.digest);
      outcome = taken.kind;
    }
    this.#answerClock = clockFrom(nowMs, this.#options);
    // A moment, not a span: storing it took time, which does not make it last longer.
    this.#answer.setUntil(payload, expiresAtMs);
    return outcome;
  }

  /**
   * Applies a person's operation, durably.
   *
   * @throws GatewayError `USER_INPUT` when there is nothing to apply it to; `REGISTRY_IO` when it cannot be stored
   */
  async operate(operation: MapOperation): Promise<MapOperationResult> {
    await this.load();
    const keys = await this.keysOfNow();
    const done: { result?: MapOperationResult } = {};
    const state = await this.#store.update((now) => {
      const isExpired: MapShelf["isExpired"] = (map) => this.shelf.isExpired(map);
      const deps = { keys, nowMs: this.#options.clock.now(), isExpired };
      const applied = applyMapOperation(now ?? this.shelf.state, operation, deps);
      done.result = applied.result;
      return applied.state;
    });
    this.shelf.adopt(state);
    const { message, id } = done.result ?? { message: "nothing was done" };
    const fields = { brand: BRAND, url: this.#url, operation: operation.kind, mapId: id };
    if (operation.kind === "reset-floor") {
      // The next sync asks the publisher for what the floor kept out.
      this.#answer.invalidate();
      this.#options.logger.warn(fields, message);
    } else this.#options.logger.info(fields, message);
    return { message, ...(id === undefined ? {} : { id }) };
  }

  async #load(): Promise<void> {
    const { logger, serviceMapUrl, apiKey } = this.#options;
    try {
      this.shelf.adopt((await this.#store.load()) ?? this.shelf.state);
    } catch (error) {
      logger.error({ brand: BRAND, url: this.#url, err: error }, "The stored service map cannot be read");
      return;
    }
    try {
      await this.keysOfNow();
    } catch (error) {
      logger.error({ brand: BRAND, url: this.#url, err: error }, "The stored service map cannot be verified");
      return;
    }
    const { held, accepted, keys } = this.shelf;
    const newest = held ?? accepted;
    if (newest?.stored.etag === undefined || keys === undefined) return;
    const { etag, body } = newest.stored;
    const remembered = { etag, body, map: newest.map, verifiedBy: keys.fingerprint };
    this.#validators.remember({ serviceMapUrl, apiKey }, remembered);
  }

  async #takeVerified(incoming: ShelvedMap): Promise<Taken> {
    const before = this.shelf.accepted;
    const inMemory = this.#decide(this.shelf.state, incoming);
    // Nothing to store, so a disk that is full or read-only is no reason to refuse what we have already.
    if (inMemory.state === this.shelf.state) return inMemory.taken;
    const { taken, state } = await this.#stored(incoming);
    this.shelf.adopt(state);
    if (taken.kind === "changed") this.#tellChanged(incoming, before);
    if (taken.kind === "held") this.#tellHeld(incoming, taken.removed);
    return taken;
  }

  #decide(state: StoredServiceMaps, incoming: ShelvedMap): TakenMap {
    const { holdRemovals = true, clock } = this.#options;
    const { shelf } = this;
    const isExpired: MapShelf["isExpired"] = (map) => shelf.isExpired(map);
    return takeMap(state, incoming, { read: shelf.read, nowMs: clock.now(), holdRemovals, isExpired });
  }

  /** Decided again on what is stored: another process may have gone further than this one knows. */
  async #stored(incoming: ShelvedMap): Promise<TakenMap> {
    let taken: Taken = { kind: "unchanged" };
    try {
      const state = await this.#store.update((now) => {
        const decided = this.#decide(now ?? this.shelf.state, incoming);
        taken = decided.taken;
        return decided.state;
      });
      return { state, taken };
    } catch (error) {
      const { logger } = this.#options;
      const fields = { brand: BRAND, url: this.#url, mapId: incoming.map.payload.id, err: error };
      logger.error(fields, "The service map cannot be stored, so it is not used; the last good one stays");
      throw this.#error("state", "could not be stored, so it is not used", error);
    }
  }

  /** Whoever can replay an answer can replay it for ever: a map that is confirmed but never signed anew ends at its bound. */
  #refuseFrozen(digest: string): void {
    const { accepted, pinned } = this.shelf;
    if (pinned !== undefined || accepted?.map.digest !== digest || !this.shelf.isExpired(accepted.map)) return;
    throw this.#error("expired", "was confirmed by the publisher, but signed too long ago to be served");
  }

  #tellChanged({ map }: ShelvedMap, before: ShelvedMap | undefined): void {
    const { logger } = this.#options;
    const { id, generatedAt, connectors } = map.payload;
    const fields = {
      brand: BRAND,
      url: this.#url,
      mapId: id,
      generatedAt,
      kid: map.kid,
      connectors: connectors.length,
    };
    // Publishers sign anew every few minutes: that alone is no news.
    if (before !== undefined && sameConnectors(before.map.payload, map.payload))
      logger.debug(fields, "Service map renewed");
    else logger.info(fields, "Service map accepted");
  }

  #tellHeld({ map }: ShelvedMap, removed: readonly string[]): void {
    const summary = removed.join();
    if (summary === this.#heldTold) return;
    this.#heldTold = summary;
    const { id: mapId, generatedAt } = map.payload;
    const fields = { brand: BRAND, url: this.#url, mapId, generatedAt, removed };
    this.#options.logger.warn(fields, `The new service map is held: ${heldReason(removed)}`);
  }

  #error(rule: ConnectorManifestError["rule"], reason: string, cause?: unknown): ConnectorManifestError {
    const because = cause === undefined ? {} : { cause, detail: messageOf(cause) };
    return new ConnectorManifestError(rule, reason, { url: this.#options.serviceMapUrl, ...because });
  }
}
