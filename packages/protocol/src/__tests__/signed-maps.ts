import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { KeyRing } from "../key-ring.js";
import { readServiceMap, type ReadServiceMapOptions, type VerifiedServiceMap } from "../read-service-map.js";
import { createServiceMapSignature } from "../signature.js";

/** For tests: published, never used elsewhere. */
export const TEST_KEY = "cortex-mcp test key: not a secret";
export const TEST_RING = KeyRing.fromSecret(TEST_KEY);
/** The clock of these tests: a minute after {@link unsignedMap} was made. */
export const NOW_MS = Date.parse("2026-01-01T00:01:00Z");

type Members = Readonly<Record<string, unknown>>;

/** A valid connector, with what a test says instead. */
export const connector = (members: Members = {}): Record<string, unknown> => ({
  id: "files",
  version: "1.0.0",
  name: "Files",
  endpoint: "https://files.example.org/mcp",
  auth: { type: "bearer" },
  scopes: ["read"],
  status: "enabled",
  ttlSeconds: 300,
  ...members,
});

/** A valid map but for its signature, with what a test says instead. */
export const unsignedMap = (members: Members = {}): Record<string, unknown> => ({
  id: "01JZ0000000000000000000001",
  brand: "example",
  generatedAt: "2026-01-01T00:00:00Z",
  ttlSeconds: 300,
  connectors: [connector()],
  ...members,
});

/** The same, signed. */
export function signedMap(members: Members = {}, key: string | KeyObject = TEST_KEY): Record<string, unknown> {
  const map = unsignedMap(members);
  return { ...map, signature: createServiceMapSignature(map, key) };
}

/** The same as it goes over the wire. */
export const signedBody = (members: Members = {}, key: string | KeyObject = TEST_KEY): string =>
  JSON.stringify(signedMap(members, key));

/** The same, read; fails the test when it is refused. */
export function verifiedMap(members: Members = {}, options: Partial<ReadServiceMapOptions> = {}): VerifiedServiceMap {
  const read = readServiceMap(signedBody(members), { keys: TEST_RING, nowMs: NOW_MS, ...options });
  if (!read.ok) throw new Error(`${read.rule}: ${read.reason}`);
  return read.map;
}

/** The rule and reason of a refusal, or `accepted`. */
export function verdictOf(body: Uint8Array | string, options: Partial<ReadServiceMapOptions> = {}): string {
  const read = readServiceMap(body, { keys: TEST_RING, nowMs: NOW_MS, ...options });
  return read.ok ? "accepted" : `${read.rule}: ${read.reason}`;
}

/** A new Ed25519 key pair, and its public half as one entry of a JWK Set. */
export function ed25519Pair(kid: string): { readonly privateKey: KeyObject; readonly jwk: Record<string, unknown> } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid } };
}
