import { createSecretKey } from "node:crypto";
import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { KeyRing, weakKeys } from "../key-ring.js";
import { createServiceMapSignature } from "../signature.js";
import { ed25519Pair, signedMap, TEST_KEY, TEST_RING } from "./signed-maps.js";

// Verdicts stand in vectors/key-rings.json.

const base64url = (text: string): string => Buffer.from(text).toString("base64url");
const oct = (secret: string, kid?: string): Record<string, unknown> => ({ kty: "oct", k: base64url(secret), kid });
const ringOf = (...keys: readonly unknown[]): KeyRing => KeyRing.fromJwks(JSON.parse(JSON.stringify({ keys })));
const payload = (members: Record<string, unknown>, key: Parameters<typeof signedMap>[1] = TEST_KEY): object =>
  signedMap(members, key);

describe("R2: the key ring", () => {
  test("of CONNECTORS_SIGNATURE_KEY holds its UTF-8 bytes", () => {
    const ring = KeyRing.fromSecret("schlüssel");
    expect(ring.size).toBe(1);
    const key = createSecretKey(Buffer.from("schlüssel"));
    expect(ring.verify(payload({}, key))).toEqual({ ok: true });
    expect(() => KeyRing.fromSecret("")).toThrow(
      new GatewayError("USER_INPUT", "CONNECTORS_SIGNATURE_KEY is empty: set a key of 32 bytes or more"),
    );
  });

  test("tells which key it was, also when the map named none", () => {
    const { privateKey, jwk } = ed25519Pair("signing-2026");
    const ring = ringOf(oct("one"), oct("two", "second"), jwk);
    expect(ring.size).toBe(3);
    expect(ring.verify(payload({}, "one"))).toEqual({ ok: true });
    expect(ring.verify(payload({}, "two"))).toEqual({ ok: true, kid: "second" });
    expect(ring.verify(payload({ kid: "signing-2026" }, privateKey))).toEqual({ ok: true, kid: "signing-2026" });
  });

  test("takes an Ed25519 key with its private half, and keeps the public one", () => {
    const { privateKey, jwk } = ed25519Pair("a");
    const ring = ringOf({
      ...privateKey.export({ format: "jwk" }),
      kid: "a",
      use: "sig",
      key_ops: ["sign"],
      alg: "EdDSA",
    });
    expect(ring.verify(payload({ kid: "a" }, privateKey))).toEqual({ ok: true, kid: "a" });
    expect(ring.fingerprint).toBe(ringOf(jwk).fingerprint);
  });

  test("verifies a text that the caller has made already", () => {
    const signature = createServiceMapSignature({ a: 1 }, TEST_KEY);
    expect(TEST_RING.verify({ signature }, '{"a":1}')).toEqual({ ok: true });
    expect(TEST_RING.verify({ signature }, '{"a":2}')).toEqual({ ok: false, rule: "signature" });
  });

  test("finds no signature on a document without canonical form", () => {
    expect(TEST_RING.verify({ ...signedMap(), a: Number.NaN })).toEqual({ ok: false, rule: "signature" });
  });

  const HMAC_FORM = "A".repeat(43);
  const ED25519_FORM = "A".repeat(86);

  test.each([
    { members: {}, rule: "unsigned", looks: false },
    { members: { kid: "hmac", signature: "" }, rule: "unsigned", looks: false },
    { members: { kid: "other", signature: HMAC_FORM }, rule: "unknown-key", looks: false },
    { members: { kid: "hmac", signature: ED25519_FORM }, rule: "signature", looks: false },
    { members: { kid: "edwards", signature: HMAC_FORM }, rule: "signature", looks: false },
    { members: { signature: `${HMAC_FORM}=` }, rule: "signature", looks: false },
    { members: { signature: "00".repeat(32) }, rule: "signature", looks: false },
    { members: { signature: HMAC_FORM }, rule: "signature", looks: true },
    { members: { kid: "hmac", signature: HMAC_FORM }, rule: "signature", looks: true },
    { members: { kid: "edwards", signature: ED25519_FORM }, rule: "signature", looks: true },
  ])("looks at what $members covers only if one of its keys could have made that: $looks", (each) => {
    const keys = ringOf(oct("one", "hmac"), ed25519Pair("edwards").jwk);
    let looked = false;
    const map = {
      ...each.members,
      get connectors() {
        looked = true;
        return [];
      },
    };
    expect(keys.verify(map)).toEqual({ ok: false, rule: each.rule });
    expect(looked).toBe(each.looks);
    expect(keys.refusal(map)).toBe(each.looks ? undefined : each.rule);
  });

  test("without keys accepts nothing", () => {
    expect(ringOf().size).toBe(0);
    expect(ringOf().verify(signedMap())).toEqual({ ok: false, rule: "unknown-key" });
    expect(KeyRing.merge().verify(signedMap())).toEqual({ ok: false, rule: "unknown-key" });
  });

  test("of several rings has the keys of all, each once", () => {
    const ring = KeyRing.merge(KeyRing.fromSecret("one"), ringOf(oct("one"), oct("two", "b")), ringOf(oct("two", "b")));
    expect(ring.size).toBe(2);
    expect(ring.verify(payload({}, "one"))).toEqual({ ok: true });
    expect(ring.verify(payload({ kid: "b" }, "two"))).toEqual({ ok: true, kid: "b" });
  });

  test("has no kid for two keys", () => {
    const failure = new GatewayError("USER_INPUT", 'Two keys have the kid "a": give each its own');
    expect(() => ringOf(oct("one", "a"), oct("two", "a"))).toThrow(failure);
    expect(() => ringOf(oct("one", "a"), ed25519Pair("a").jwk)).toThrow(failure);
    expect(() => KeyRing.merge(ringOf(oct("one", "a")), ringOf(oct("two", "a")))).toThrow(failure);
    expect(ringOf(oct("one", "a"), oct("one", "a")).size).toBe(1);
  });

  test("has a fingerprint that tells rings apart, and no key", () => {
    const { jwk } = ed25519Pair("e");
    const rings = [
      ringOf(),
      ringOf(oct("one")),
      ringOf(oct("one", "a")),
      ringOf(oct("two", "a")),
      ringOf(oct("one", "a"), oct("two", "b")),
      ringOf(oct("one", "b"), oct("two", "a")),
      ringOf(jwk),
      ringOf({ ...jwk, kid: "f" }),
      ringOf(oct("one"), jwk),
    ];
    expect(new Set(rings.map((ring) => ring.fingerprint)).size).toBe(rings.length);
    for (const { fingerprint } of rings) expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(ringOf(oct("two", "b"), oct("one", "a")).fingerprint).toBe(
      ringOf(oct("one", "a"), oct("two", "b")).fingerprint,
    );
    expect(KeyRing.fromSecret("one").fingerprint).toBe(ringOf(oct("one")).fingerprint);
  });

  test("shows no key when it is printed", () => {
    expect(JSON.stringify(ringOf(oct("not for print", "a")))).not.toContain(base64url("not for print"));
  });

  test("names the HMAC keys of fewer than 32 bytes, for the configuration to refuse", () => {
    const ring = KeyRing.merge(
      KeyRing.fromSecret("s".repeat(31)),
      ringOf(oct("a".repeat(31), "short"), oct("b".repeat(32), "long"), oct("c"), ed25519Pair("e").jwk),
    );
    expect(weakKeys(ring)).toEqual(["CONNECTORS_SIGNATURE_KEY", "short", "keys[2]"]);
    expect(weakKeys(KeyRing.fromSecret("ä".repeat(16)))).toEqual([]);
  });
});

describe("R2: a JWK Set that cannot be used", () => {
  const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
  const { jwk } = ed25519Pair("a");

  test.each([
    { name: "no object", jwks: null, problem: "the document: is no JWK Set (RFC 7517)" },
    {
      name: "one key instead of a set",
      jwks: jwk,
      problem: "keys: must be an array of keys, as in a JWK Set (RFC 7517)",
    },
    {
      name: "RSA",
      jwks: { keys: [jwk, { kty: "RSA", n: secret, e: "AQAB" }] },
      problem: 'keys[1].kty: must be "oct" (HMAC-SHA256) or "OKP" (Ed25519)',
    },
    {
      name: "no kty",
      jwks: { keys: [{ k: secret }] },
      problem: 'keys[0].kty: must be "oct" (HMAC-SHA256) or "OKP" (Ed25519)',
    },
    { name: "another curve", jwks: { keys: [{ ...jwk, crv: "X25519" }] }, problem: 'keys[0].crv: must be "Ed25519"' },
    {
      name: "another HMAC",
      jwks: { keys: [{ kty: "oct", k: secret, alg: "HS512" }] },
      problem: 'keys[0].alg: must be "HS256"',
    },
    {
      name: "another algorithm",
      jwks: { keys: [{ ...jwk, alg: "ES256" }] },
      problem: 'keys[0].alg: must be "EdDSA" or "Ed25519"',
    },
    {
      name: "a key for encryption",
      jwks: { keys: [{ ...jwk, use: "enc" }] },
      problem: 'keys[0].use: must be "sig", or be left out',
    },
    {
      name: "operations without verify",
      jwks: { keys: [{ ...jwk, key_ops: ["encrypt"] }] },
      problem: "keys[0].key_ops: must hold verify or sign",
    },
    {
      name: "an Ed25519 key without kid",
      jwks: { keys: [{ ...jwk, kid: undefined }] },
      problem: "keys[0].kid: is needed: without it no map can name this key",
    },
    {
      name: "an empty kid",
      jwks: { keys: [{ kty: "oct", k: secret, kid: "" }] },
      problem: "keys[0].kid: must not be empty",
    },
    { name: "an empty key", jwks: { keys: [{ kty: "oct", k: "" }] }, problem: "keys[0].k: must not be empty" },
    {
      name: "base64 with padding",
      jwks: { keys: [{ kty: "oct", k: `${secret}=` }] },
      problem: "keys[0].k: must be base64url without padding",
    },
    {
      name: "a short public key",
      jwks: { keys: [{ ...jwk, x: secret }] },
      problem: "keys[0].x: must be 32 bytes as base64url without padding",
    },
    {
      name: "a public key in base64",
      jwks: { keys: [{ ...jwk, x: `${String(jwk["x"])}=` }] },
      problem: "keys[0].x: must be 32 bytes as base64url without padding",
    },
  ])("says where and why, and quotes no key: $name", ({ jwks, problem }) => {
    expect(() => KeyRing.fromJwks(jwks)).toThrow(
      new GatewayError("USER_INPUT", `The key ring cannot be used: ${problem}`),
    );
  });
});
