import { createHash } from "node:crypto";
import type { VerifiedServiceMap } from "@cortex-os/protocol";

/** How many maps are remembered unless told otherwise. */
const DEFAULT_LIMIT = 32;

/** From whom a map came: what a publisher answers may depend on both. */
export interface MapOrigin {
  readonly serviceMapUrl: string;
  readonly apiKey?: string | undefined;
}

/** A map as it came, and the name its publisher gave to these bytes. */
export interface RememberedMap {
  /** The `ETag` header's value, as it came. */
  readonly etag: string;
  readonly body: string;
  readonly map: VerifiedServiceMap;
  /** The `KeyRing.fingerprint` of the keys that vouched for it. */
  readonly verifiedBy: string;
}

/**
 * Remembers the last verified map of each publisher with its `ETag`, so that an unchanged one need not be sent again (R3). Bounded: the one that
 * was not used for longest goes. Whoever uses what is remembered with other keys than those that vouched for it verifies it anew.
 */
export class MapValidators {
  readonly #limit: number;
  readonly #maps = new Map<string, RememberedMap>();

  /** @param limit most maps at a time. @default 32 */
  constructor(limit = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  /** What is remembered of this publisher, if anything. */
  recall(origin: MapOrigin): RememberedMap | undefined {
    const name = nameOf(origin);
    const map = this.#maps.get(name);
    if (map === undefined) return undefined;
    this.#maps.delete(name);
    this.#maps.set(name, map);
    return map;
  }

  /** In the place of what was remembered of this publisher. */
  remember(origin: MapOrigin, map: RememberedMap): void {
    const name = nameOf(origin);
    this.#maps.delete(name);
    this.#maps.set(name, map);
    const [oldest] = this.#maps.keys();
    if (this.#maps.size > this.#limit && oldest !== undefined) this.#maps.delete(oldest);
  }

  forget(origin: MapOrigin): void {
    this.#maps.delete(nameOf(origin));
  }
}

/** A hash: the API key is not kept a second time. */
function nameOf({ serviceMapUrl, apiKey = "" }: MapOrigin): string {
  return createHash("sha256")
    .update(JSON.stringify([serviceMapUrl, apiKey]))
    .digest("base64url");
}
