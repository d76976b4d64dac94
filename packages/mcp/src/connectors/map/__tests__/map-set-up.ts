import {
  createServiceMapSignature,
  KeyRing,
  readServiceMap,
  type PublishedConnector,
  type ServiceMapPayload,
  type VerifiedServiceMap,
} from "@cortex-os/protocol";
import type { StoredMap } from "../stored-service-maps.js";
import type { MapJudgement, ShelvedMap } from "../take-map.js";
import { entryOf, payloadOf } from "./map-payload.js";

/** For tests only, as every key here. */
export const KEY = "a signature key that is long enough for all";
export const OTHER_KEY = "another signature key, as long as the first";
export const START = 1_700_000_000_000;

/** What a test says about a map; the rest is as usual. */
export interface MapWishes {
  readonly connectors?: readonly (string | PublishedConnector)[];
  readonly atMs?: number;
  readonly id?: string;
  readonly ttlSeconds?: number;
  readonly key?: string;
  readonly kid?: string;
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
let made = 0;

/** A ULID of that moment, greater than every one made for that moment before. */
function ulidAt(atMs: number): string {
  return base32(atMs, 10) + base32(++made, 16);
}

function base32(value: number, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32))
    text = `${CROCKFORD[rest % 32] ?? ""}${text}`;
  return text;
}

/** A signed map. */
function signedMap(wishes: MapWishes = {}): ServiceMapPayload {
  const { connectors = ["a"], atMs = START, id = ulidAt(atMs), ttlSeconds = 300, key = KEY, kid } = wishes;
  const { signature: _, ...unsigned } = payloadOf(
    connectors.map((each) => (typeof each === "string" ? entryOf(each) : each)),
    { id, generatedAt: new Date(atMs).toISOString(), ttlSeconds, ...(kid === undefined ? {} : { kid }) },
  );
  return { ...unsigned, signature: createServiceMapSignature(unsigned, key) };
}

/** A signed map as its bytes. */
export const signedBody = (wishes: MapWishes = {}): string => JSON.stringify(signedMap(wishes));

/** A signed map as it is stored. */
export function storedMap(wishes: MapWishes = {}): StoredMap {
  return { body: signedBody(wishes), receivedAtMs: wishes.atMs ?? START };
}

export const ring = (key = KEY): KeyRing => KeyRing.fromSecret(key);

/** The map in these bytes, however old. */
export function verified(stored: StoredMap, keys: KeyRing = ring()): VerifiedServiceMap | undefined {
  const reading = readServiceMap(stored.body, { keys, nowMs: 0, allowExpired: true, allowFuture: true });
  return reading.ok ? reading.map : undefined;
}

/** A map as it comes in. */
export function incoming(wishes: MapWishes = {}): ShelvedMap {
  const stored = storedMap(wishes);
  const map = verified(stored, ring(wishes.key));
  if (map === undefined) throw new Error("the test signed a bad map");
  return { stored, map };
}

export const judgement = (nowMs = START): MapJudgement => ({ read: (stored) => verified(stored), nowMs });
