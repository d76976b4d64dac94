import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { generateKeySet, thumbprintOf } from "../generate-key.js";
import { isPublicJwks, jwkSetOf, publicJwksOf, type Jwk } from "../jwk.js";
import { KeyRing } from "../key-ring.js";
import { createServiceMapSignature } from "../signature.js";
import { ringOf, signingKeyFromJwks, signingKeyFromSecret } from "../signing-key.js";

const ed25519 = (kid?: string): Jwk => only(generateKeySet({ kind: "ed25519", ...(kid === undefined ? {} : { kid }) }));
const hmac = (kid?: string): Jwk => only(generateKeySet({ kind: "hmac", ...(kid === undefined ? {} : { kid }) }));

function only({ privateJwks }: ReturnType<typeof generateKeySet>): Jwk {
  const [jwk, ...more] = privateJwks.keys;
  if (jwk === undefined || more.length > 0) throw new Error("expected one key");
  return jwk;
}

function signedBy(jwks: unknown, kid?: string) {
  const { key, kid: used } = signingKeyFromJwks(jwks, kid);
  const payload = { brand: "b", ...(used === undefined ? {} : { kid: used }) };
  return { ...payload, signature: createServiceMapSignature(payload, key) };
}

describe("R3b: keys that sign service maps", () => {
  test("what an Ed25519 key signs is verified with the public set alone", () => {
    const { privateJwks, publicJwks } = generateKeySet({ kind: "ed25519" });
    expect(isPublicJwks(publicJwks)).toBe(true);
    expect(JSON.stringify(publicJwks)).not.toContain(String(privateJwks.keys[0]?.d));
    const kid = String(privateJwks.keys[0]?.kid);
    expect(kid).toMatch(/^[\w-]{16}$/);
    expect(KeyRing.fromJwks(publicJwks).verify(signedBy(privateJwks))).toEqual({ ok: true, kid });
    expect(KeyRing.fromJwks(generateKeySet({ kind: "ed25519", kid }).publicJwks).verify(signedBy(privateJwks))).toEqual(
      { ok: false, rule: "signature" },
    );
  });

  test("an HMAC key has no public half: gateways need the private set itself", () => {
    const { privateJwks, publicJwks } = generateKeySet({ kind: "hmac", kid: "team" });
    expect(publicJwks).toEqual({ keys: [] });
    expect(isPublicJwks(privateJwks)).toBe(false);
    expect(KeyRing.fromJwks(privateJwks).verify(signedBy(privateJwks))).toEqual({ ok: true, kid: "team" });
  });

  test("the name of an HMAC key is chance, so that it tells nothing about the key", () => {
    const [first, second] = [hmac(), hmac()];
    expect(first.kid).toMatch(/^[\w-]{16}$/);
    expect(first.kid).not.toBe(second.kid);
    expect(Buffer.from(String(first.k), "base64url")).toHaveLength(32);
  });

  test("the name of an Ed25519 key is the beginning of its thumbprint", () => {
    // RFC 8037, appendix A.3 publishes the thumbprint of this key.
    const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    expect(thumbprintOf(x)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    const made = ed25519();
    expect(made.kid).toBe(thumbprintOf(String(made.x)).slice(0, 16));
  });

  test("the first key signs unless another is named", () => {
    const keys = [ed25519("old"), hmac("new")];
    expect(signingKeyFromJwks({ keys }).kid).toBe("old");
    expect(signingKeyFromJwks({ keys }, "new").kid).toBe("new");
    const ring = KeyRing.fromJwks({ keys });
    expect(ring.verify(signedBy({ keys }))).toEqual({ ok: true, kid: "old" });
    expect(ring.verify(signedBy({ keys }, "new"))).toEqual({ ok: true, kid: "new" });
  });

  test("an HMAC key without a kid signs maps without one", () => {
    const { kid: _kid, ...nameless } = hmac();
    const signed = signedBy({ keys: [nameless] });
    expect(signed).not.toHaveProperty("kid");
    expect(KeyRing.fromJwks({ keys: [nameless] }).verify(signed)).toEqual({ ok: true });
  });

  const mismatched = { ...ed25519("k"), x: ed25519().x };
  const short = { kty: "oct", kid: "k", k: Buffer.alloc(31, 7).toString("base64url") };
  const { d: _d, ...publicHalf } = ed25519("k");
  test.each<[string, unknown, string | undefined, string]>([
    ["an empty set", { keys: [] }, undefined, "it is empty; cortex-mcp map keygen --add"],
    ["a kid that is not there", { keys: [ed25519("a"), hmac("b")] }, "c", 'it has no key "c"; it has "a", "b"'],
    ["a set of nameless keys", { keys: [{ ...hmac(), kid: undefined }] }, "c", "it has none with a kid"],
    ["a public key", { keys: [publicHalf] }, undefined, 'the key "k" cannot sign a service map: it is a public key'],
    ["halves of two keys", { keys: [mismatched] }, undefined, '"d" and "x" are no pair'],
    ["a private half that is none", { keys: [{ ...ed25519("k"), d: "AAAA" }] }, undefined, '"d" and "x" are no pair'],
    ["a short HMAC key", { keys: [short] }, undefined, "fewer than 32 bytes"],
    ["a short HMAC key without a name", { keys: [{ ...short, kid: undefined }] }, undefined, "keys[0] cannot sign"],
    ["another kind of key", { keys: [{ kty: "RSA", n: "x", e: "y" }] }, undefined, "keys[0].kty"],
    ["no set at all", ["x"], undefined, "cannot be used"],
  ])("%s is refused by name, without its value", (_name, jwks, kid, message) => {
    let thrown: unknown;
    try {
      signingKeyFromJwks(jwks, kid);
    } catch (error) {
      thrown = error;
    }
    expect(GatewayError.is(thrown) && thrown.code).toBe("USER_INPUT");
    const { message: told } = thrown as GatewayError;
    expect(told).toContain(message);
    for (const secret of [mismatched.d, short.k]) expect(told).not.toContain(secret);
  });

  test("R2: a key of the environment needs 32 bytes, counted in UTF-8", () => {
    expect(signingKeyFromSecret("a".repeat(32))).toEqual({ key: "a".repeat(32) });
    expect(signingKeyFromSecret("é".repeat(16))).toEqual({ key: "é".repeat(16) });
    expect(() => signingKeyFromSecret("a".repeat(31))).toThrow(
      "CONNECTORS_SIGNATURE_KEY cannot sign a service map: it has fewer than 32 bytes",
    );
    expect(() => signingKeyFromSecret("")).toThrow("CONNECTORS_SIGNATURE_KEY is empty");
  });

  test("the ring of a signing key holds what verifies it, with its name", () => {
    expect(ringOf({ key: "text" }).fingerprint).toBe(KeyRing.fromSecret("text").fingerprint);
    const named = { brand: "b", kid: "n" };
    const signature = createServiceMapSignature(named, "text");
    expect(ringOf({ key: "text", kid: "n" }).verify({ ...named, signature })).toEqual({ ok: true, kid: "n" });
  });
});

describe("JWK Sets", () => {
  test("what a set and its keys have besides is kept", () => {
    const jwks = { note: "ours", keys: [{ ...hmac("a"), comment: "x" }] };
    expect(jwkSetOf(jwks)).toEqual(jwks);
  });

  test("the public set leaves out HMAC keys and private halves, and keeps the rest", () => {
    const pair = { ...ed25519("a"), comment: "x" };
    const { d: _private, ...shown } = pair;
    expect(publicJwksOf({ keys: [hmac("h"), pair] })).toEqual({ keys: [shown] });
    expect(isPublicJwks({ keys: [pair] })).toBe(false);
  });

  test("one name for two keys is refused", () => {
    expect(() => jwkSetOf({ keys: [hmac("a"), hmac("a")] })).toThrow('"a"');
  });
});
