import { randomBytes } from "node:crypto";
import { GatewayError, type Clock, type RandomSource } from "@cortex-os/mcp-core";
import { ulid } from "ulid";
import { canonicalJson } from "./canonical.js";
import type { PublisherManifest } from "./manifest.js";
import { readServiceMap } from "./read-service-map.js";
import type { ServiceMapPayload } from "./service-map-payload.js";
import { createServiceMapSignature } from "./signature.js";
import { ringOf, type SigningKey } from "./signing-key.js";

/** What {@link signServiceMap} signs with. */
export interface SignServiceMapOptions {
  readonly key: SigningKey;
  readonly clock: Clock;
  /** For the id. @default the one of `node:crypto` */
  readonly random?: RandomSource;
  /** `generatedAt` is no earlier than this, in milliseconds since the epoch: gateways refuse what is older than what they have. */
  readonly earliestMs?: number;
}

/** A signed map, and the text it is sent as. */
export interface SignedServiceMap {
  /** Canonical JSON. */
  readonly body: string;
  readonly payload: ServiceMapPayload;
}

/**
 * Makes a service map of a manifest: a fresh ULID of the moment it was made, the time, the key's name, and the signature.
 *
 * @throws GatewayError USER_INPUT when gateways would refuse the map (too large, for example), with their reason; and for an unfit key
 */
export function signServiceMap(manifest: PublisherManifest, options: SignServiceMapOptions): SignedServiceMap {
  const { key, clock, random = cryptoRandom, earliestMs = 0 } = options;
  const generatedAtMs = Math.max(clock.now(), earliestMs);
  const unsigned = {
    ...manifest,
    id: ulid(generatedAtMs, () => random.next()),
    generatedAt: new Date(generatedAtMs).toISOString(),
    ...(key.kid === undefined ? {} : { kid: key.kid }),
  };
  const payload = { ...unsigned, signature: createServiceMapSignature(unsigned, key.key) };
  const body = canonicalJson(payload);
  const reading = readServiceMap(body, { keys: ringOf(key), nowMs: generatedAtMs });
  if (reading.ok) return { body, payload: reading.map.payload };
  throw new GatewayError("USER_INPUT", `gateways would refuse this service map (${reading.rule}): ${reading.reason}`);
}

/** Chance that fits ids: 48 bits in [0, 1). */
const cryptoRandom: RandomSource = { next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48 };
