import { readServiceMap, type KeyRing, type ServiceMapReading } from "@cortex-os/protocol";
import type { StoredMap } from "./stored-service-maps.js";

/** As many as are stored at once (accepted, held, previous), and some on their way in or out. */
const MOST_REMEMBERED = 12;

/**
 * Verifies stored maps with one key ring, each body once: a map of a megabyte takes long enough to be felt. Age is not judged: a stored map may be
 * stale, and the clock may have been set back.
 */
export class VerifiedBodies {
  readonly #readings = new Map<string, ServiceMapReading>();
  readonly keys: KeyRing;

  constructor(keys: KeyRing) {
    this.keys = keys;
  }

  read({ body }: StoredMap): ServiceMapReading {
    const known = this.#readings.get(body);
    if (known !== undefined) return known;
    const reading = readServiceMap(body, { keys: this.keys, nowMs: 0, allowExpired: true, allowFuture: true });
    this.#readings.set(body, reading);
    const [oldest] = this.#readings.keys();
    if (this.#readings.size > MOST_REMEMBERED && oldest !== undefined) this.#readings.delete(oldest);
    return reading;
  }
}
