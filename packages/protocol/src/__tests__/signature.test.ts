import { createHmac, createSecretKey, generateKeyPairSync, sign } from "node:crypto";
import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../canonical.js";
import { createServiceMapSignature, verifyServiceMapSignature } from "../signature.js";
import { TEST_KEY, unsignedMap } from "./signed-maps.js";

// Vectors stand in vectors/hmac.json and vectors/ed25519.json.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const map = unsignedMap();
const pair = generateKeyPairSync("ed25519");
const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 });
const unusable = (why: string): GatewayError =>
  new GatewayError("USER_INPUT", `The service map's key cannot be used: ${why}`);

describe("R2: signing a service map", () => {
  test("with a text is HMAC-SHA256 over the canonical form, as base64url without padding", () => {
    const expected = createHmac("sha256", TEST_KEY).update(canonicalJson(map)).digest("base64url");
    expect(createServiceMapSignature(map, TEST_KEY)).toBe(expected);
    expect(createServiceMapSignature(map, createSecretKey(TEST_KEY, "utf8"))).toBe(expected);
    expect(expected).toMatch(/^[\w-]{43}$/);
  });

  test("with a private Ed25519 key is Ed25519 over the canonical form", () => {
    const expected = sign(null, Buffer.from(canonicalJson(map)), pair.privateKey).toString("base64url");
    expect(createServiceMapSignature(map, pair.privateKey)).toBe(expected);
    expect(expected).toMatch(/^[\w-]{86}$/);
  });

  test.each([
    { kind: "a text", key: TEST_KEY, verifier: TEST_KEY },
    { kind: "Ed25519", key: pair.privateKey, verifier: pair.publicKey },
  ])("never covers the signature itself, and changes nothing ($kind)", ({ key, verifier }) => {
    const signature = createServiceMapSignature(map, key);
    const signed = { signature, ...map };
    const before = JSON.stringify(signed);
    expect(createServiceMapSignature(signed, key)).toBe(signature);
    expect(verifyServiceMapSignature(signed, signature, verifier)).toBe(true);
    expect(verifyServiceMapSignature({ ...signed, signature: "another" }, signature, verifier)).toBe(true);
    expect(JSON.stringify(signed)).toBe(before);
  });

  test("takes any key that is not empty, and says what is wrong with another", () => {
    expect(createServiceMapSignature(map, "k")).toMatch(/^[\w-]{43}$/);
    expect(() => createServiceMapSignature(map, "")).toThrow(unusable("it is empty"));
    expect(() => createServiceMapSignature(map, createSecretKey(Buffer.alloc(0)))).toThrow(unusable("it is empty"));
    expect(() => createServiceMapSignature(map, pair.publicKey)).toThrow(
      unusable("a public key verifies, it cannot sign: give the private one"),
    );
    expect(() => createServiceMapSignature(map, rsa.privateKey)).toThrow(
      unusable("an asymmetric key must be Ed25519, not rsa"),
    );
  });

  test("refuses what has no canonical form", () => {
    expect(() => createServiceMapSignature({ ...map, n: Number.NaN }, TEST_KEY)).toThrow(
      expect.objectContaining({ code: "INVALID_PARAMS" }),
    );
  });
});

describe("R2: verifying a service map's signature", () => {
  test("takes the public and the private half of an Ed25519 key", () => {
    const signature = createServiceMapSignature(map, pair.privateKey);
    expect(verifyServiceMapSignature(map, signature, pair.publicKey)).toBe(true);
    expect(verifyServiceMapSignature(map, signature, pair.privateKey)).toBe(true);
  });

  test.each([
    { kind: "HMAC", key: TEST_KEY, verifier: TEST_KEY, spellings: 4 },
    { kind: "Ed25519", key: pair.privateKey, verifier: pair.publicKey, spellings: 16 },
  ])("knows one spelling of a signature only ($kind)", ({ key, verifier, spellings }) => {
    const signature = createServiceMapSignature(map, key);
    const bytes = Buffer.from(signature, "base64url");
    const lasts = Array.from(ALPHABET, (last) => signature.slice(0, -1) + last);
    // A lenient reader takes all of these for the same bytes.
    expect(lasts.filter((each) => Buffer.from(each, "base64url").equals(bytes))).toHaveLength(spellings);
    expect(lasts.filter((each) => verifyServiceMapSignature(map, each, verifier))).toEqual([signature]);
    const others = [
      "",
      "=",
      `${signature}=`,
      `${signature}\n`,
      ` ${signature}`,
      `${signature}A`,
      signature.slice(0, -1),
    ];
    const encodings = [bytes.toString("hex"), bytes.toString("base64"), bytes.toString("latin1"), signature.repeat(2)];
    for (const other of [...others, ...encodings]) expect(verifyServiceMapSignature(map, other, verifier)).toBe(false);
    const mixed = `${signature.slice(0, 20)}\n${signature.slice(20)}`;
    expect(verifyServiceMapSignature(map, mixed, verifier)).toBe(false);
  });

  test("is false for a document without canonical form, which nobody can have signed", () => {
    const signature = createServiceMapSignature(map, TEST_KEY);
    expect(verifyServiceMapSignature({ ...map, a: "\ud800" }, signature, TEST_KEY)).toBe(false);
  });

  test("says what is wrong with a key instead of answering", () => {
    expect(() => verifyServiceMapSignature(map, "x", "")).toThrow(unusable("it is empty"));
    expect(() => verifyServiceMapSignature(map, "x", rsa.publicKey)).toThrow(
      unusable("an asymmetric key must be Ed25519, not rsa"),
    );
  });
});
