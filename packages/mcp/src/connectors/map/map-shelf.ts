import type { KeyRing, ServiceMapPayload, ServiceMapReading, VerifiedServiceMap } from "@cortex-os/protocol";
import { connectorsDigest, diffMaps, type MapDiff } from "./map-diff.js";
import { MapLifetime, type LifetimeClocks } from "./map-lifetime.js";
import { removedConnectors } from "./removal-guard.js";
import { NO_SERVICE_MAPS, type StoredMap, type StoredServiceMaps } from "./stored-service-maps.js";
import { shelved, type MapJudgement, type ShelvedMap } from "./take-map.js";
import { VerifiedBodies } from "./verified-bodies.js";

/** A map that may be served, and how long. */
export interface LivingMap {
  readonly payload: ServiceMapPayload;
  readonly lifetime: MapLifetime;
  /** The key's that signed it, when it has one. */
  readonly kid?: string;
  /** Whether a person pinned it, so that no newer one takes its place. */
  readonly pinned?: boolean;
}

/** A stored map as people see it. */
export interface KnownMap {
  readonly id: string;
  readonly generatedAt: string;
  /** How many it names, disabled ones included. */
  readonly connectors: number;
  readonly role: "accepted" | "held" | "previous";
  readonly pinned: boolean;
  /** Of the held one: what it says about its connectors, to accept this and nothing else. */
  readonly connectorsDigest?: string;
}

/** A map that waits for a person's word. */
export interface HeldMap extends ShelvedMap {
  /** The connectors that it takes away, sorted. */
  readonly removed: readonly string[];
}

/** What is stored, as far as the keys of now vouch for it, and how long each map may be served. */
export class MapShelf implements Pick<MapJudgement, "read"> {
  readonly #clocks: LifetimeClocks;
  readonly #maxStaleMs: number;
  readonly #lifetimes = new Map<string, MapLifetime>();
  #bodies: VerifiedBodies | undefined;
  #state: StoredServiceMaps = NO_SERVICE_MAPS;
  #unstored: LivingMap | undefined;

  constructor(maxStaleMs: number, clocks: LifetimeClocks) {
    this.#maxStaleMs = maxStaleMs;
    this.#clocks = clocks;
  }

  get state(): StoredServiceMaps {
    return this.#state;
  }

  /** The keys that vouch for what is served; `undefined` before the first {@link useKeys}. */
  get keys(): KeyRing | undefined {
    return this.#bodies?.keys;
  }

  get accepted(): ShelvedMap | undefined {
    return shelved(this.#state.accepted, this.#judgement);
  }

  get held(): HeldMap | undefined {
    const held = shelved(this.#state.held, this.#judgement);
    const accepted = this.accepted;
    if (held === undefined) return undefined;
    return {
      ...held,
      removed: accepted === undefined ? [] : removedConnectors(accepted.map.payload, held.map.payload),
    };
  }

  /** The pinned map, as long as one of the keys of now signed it. */
  get pinned(): ShelvedMap | undefined {
    return this.#state.pinned === undefined
      ? undefined
      : this.#usable.find(({ map }) => map.digest === this.#state.pinned);
  }

  /** The map that is to be served as long as its lifetime allows. */
  get chosen(): LivingMap | undefined {
    if (this.#unstored !== undefined) return this.#unstored;
    const { pinned, accepted } = this;
    if (pinned !== undefined) return { ...this.#living(pinned.map), pinned: true };
    return accepted === undefined ? undefined : this.#living(accepted.map);
  }

  /** Every map that can be shown, pinned or accepted, newest first. */
  get known(): readonly KnownMap[] {
    const { accepted, held, pinned } = this;
    const previous = this.#usable.filter(({ stored }) => stored !== this.#state.accepted);
    const shown = ({ map }: ShelvedMap, role: KnownMap["role"]): KnownMap => ({
      id: map.payload.id,
      generatedAt: map.payload.generatedAt,
      connectors: map.payload.connectors.length,
      role,
      pinned: map.digest === pinned?.map.digest,
    });
    return [
      ...(held === undefined ? [] : [{ ...shown(held, "held"), connectorsDigest: connectorsDigest(held.map.payload) }]),
      ...(accepted === undefined ? [] : [shown(accepted, "accepted")]),
      ...previous.map((each) => shown(each, "previous")),
    ];
  }

  /** What the held map would change; without one what the accepted map changed, or, with an older one pinned, what unpinning would change. */
  get diff(): MapDiff | undefined {
    const { accepted, held, chosen } = this;
    if (held !== undefined) return diffMaps(chosen?.payload, held.map.payload);
    if (accepted === undefined) return undefined;
    const before = this.pinned ?? this.#usable.find(({ stored }) => stored !== this.#state.accepted);
    return diffMaps(before?.map.payload, accepted.map.payload);
  }

  /**
   * Verifies everything anew.
   * @returns why each stored map that these keys do not vouch for is left out, in words for operators
   */
  useKeys(keys: KeyRing): readonly string[] {
    this.#bodies = new VerifiedBodies(keys);
    this.adopt(this.#state);
    return this.#all.flatMap((stored) => {
      const reading = this.#reading(stored);
      if (reading === undefined || reading.ok) return [];
      return [reading.detail === undefined ? reading.reason : `${reading.reason}: ${reading.detail}`];
    });
  }

  /** What is stored now. */
  adopt(state: StoredServiceMaps): void {
    this.#state = state;
    const maps = this.#all.flatMap((stored) => this.read(stored) ?? []);
    const digests = new Set(maps.map(({ digest }) => digest));
    for (const digest of this.#lifetimes.keys()) if (!digests.has(digest)) this.#lifetimes.delete(digest);
    for (const map of maps) this.#living(map);
  }

  /** A map whose bytes nobody kept: it is served, and lost with the process. */
  adoptUnstored(payload: ServiceMapPayload, expiresAtMs: number): void {
    const nowMs = this.#clocks.clock.now();
    const ttlMs = Math.max(0, expiresAtMs - nowMs);
    const moments = { expiresAtMs, staleUntilMs: nowMs + ttlMs + this.#maxStaleMs, ttlMs };
    this.#unstored = { payload, lifetime: new MapLifetime(moments, nowMs, this.#clocks) };
  }

  /** Stored maps count again. */
  dropUnstored(): void {
    this.#unstored = undefined;
  }

  /** The publisher said just now that this is its map. */
  confirm({ digest }: VerifiedServiceMap, freshUntilMs: number): void {
    this.#lifetimes.get(digest)?.confirm(freshUntilMs);
  }

  /** Whether it is past the time to live that it was signed with, whoever confirmed it since. */
  isOverdue(map: VerifiedServiceMap): boolean {
    return this.#living(map).lifetime.nowMs >= map.expiresAtMs;
  }

  isExpired(map: VerifiedServiceMap): boolean {
    return this.#living(map).lifetime.lifetime === "expired";
  }

  readonly read = (stored: StoredMap): VerifiedServiceMap | undefined => {
    const reading = this.#reading(stored);
    return reading?.ok === true ? reading.map : undefined;
  };

  #reading(stored: StoredMap): ServiceMapReading | undefined {
    return this.#bodies?.read(stored);
  }

  get #judgement(): MapJudgement {
    return { read: this.read, nowMs: this.#clocks.clock.now() };
  }

  get #all(): readonly StoredMap[] {
    return [this.#state.accepted, this.#state.held, ...this.#state.previous].filter((stored) => stored !== undefined);
  }

  get #usable(): readonly ShelvedMap[] {
    return [this.#state.accepted, ...this.#state.previous].flatMap((stored) => shelved(stored, this.#judgement) ?? []);
  }

  #living(map: VerifiedServiceMap): LivingMap {
    const { digest, payload, kid, generatedAtMs, expiresAtMs } = map;
    let lifetime = this.#lifetimes.get(digest);
    if (lifetime === undefined) {
      const moments = { expiresAtMs, staleUntilMs: expiresAtMs + this.#maxStaleMs, ttlMs: expiresAtMs - generatedAtMs };
      // After a restart with a clock that was set back, the time of the last save is the best there is to go by.
      const startMs = Math.max(this.#clocks.clock.now(), this.#state.savedAtMs);
      lifetime = new MapLifetime(moments, startMs, this.#clocks);
      this.#lifetimes.set(digest, lifetime);
    }
    return { payload, lifetime, ...(kid === undefined ? {} : { kid }) };
  }
}
