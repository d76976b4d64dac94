import { createHmac, sign, timingSafeEqual, type KeyObject, verify } from "node:crypto";
import { GatewayError } from "@cortex-os/mcp-core";
import { canonicalJson } from "./canonical.js";

/** Bytes of an HMAC-SHA256. */
const HMAC_BYTES = 32;
/** Bytes of an Ed25519 signature (RFC 8032). */
const ED25519_BYTES = 64;

/**
 * What a service map's signature covers: the canonical form of the document without its `signature`, every unknown member included.
 *
 * @throws GatewayError `INVALID_PARAMS` when the document has no canonical form (see {@link canonicalJson})
 */
export const signedText = (payload: object): string => canonicalJson(payload, "signature");

/**
 * Signs a service map (R2). `payload` may already hold a `signature`: it is never covered.
 *
 * @param key a string or secret key: HMAC-SHA256 (a string counts as its UTF-8 bytes); an Ed25519 private key: Ed25519
 * @returns base64url without padding: 43 characters for HMAC, 86 for Ed25519
 * @throws GatewayError `USER_INPUT` for an empty key or one of another kind, `INVALID_PARAMS` when there is no canonical form
 */
export function createServiceMapSignature(payload: object, key: string | KeyObject): string {
  const text = signedText(payload);
  if (isSecret(key)) return hmac(text, key).toString("base64url");
  if (key.type !== "private") throw wrongKey("a public key verifies, it cannot sign: give the private one");
  return sign(null, Buffer.from(text), ed25519(key)).toString("base64url");
}

/**
 * Whether `signature` is exactly what the owner of `key` made over this service map (R2). HMACs are compared in constant time.
 *
 * The base64url must be the canonical one: padding, the other alphabet, unused bits that are not zero, and hex are all wrong.
 * A document without a canonical form has no valid signature.
 *
 * @throws GatewayError `USER_INPUT` for an empty key or one of another kind
 */
export function verifyServiceMapSignature(payload: object, signature: string, key: string | KeyObject): boolean {
  let text: string;
  try {
    text = signedText(payload);
  } catch {
    return false;
  }
  return verifySignedText(text, signature, key);
}

/** Whether a signature could be one of this key's at all: by its form, before anything is computed. */
export const couldBeSignatureOf = (key: KeyObject, signature: string): boolean =>
  decoded(signature, key.type === "secret" ? HMAC_BYTES : ED25519_BYTES) !== undefined;

/** {@link verifyServiceMapSignature} for a text that {@link signedText} made. */
export function verifySignedText(text: string, signature: string, key: string | KeyObject): boolean {
  if (isSecret(key)) {
    const expected = hmac(text, key);
    const given = decoded(signature, HMAC_BYTES);
    return given !== undefined && timingSafeEqual(given, expected);
  }
  const publicKey = ed25519(key);
  const given = decoded(signature, ED25519_BYTES);
  return given !== undefined && verify(null, Buffer.from(text), publicKey, given);
}

/** @returns the bytes, or `undefined` unless `text` is their one canonical base64url */
export function decoded(text: string, bytes: number): Buffer | undefined {
  const buffer = Buffer.from(text, "base64url");
  return buffer.length === bytes && buffer.toString("base64url") === text ? buffer : undefined;
}

const isSecret = (key: string | KeyObject): key is string | (KeyObject & { type: "secret" }) =>
  typeof key === "string" || key.type === "secret";

function hmac(text: string, key: string | KeyObject): Buffer {
  const empty = typeof key === "string" ? key === "" : key.symmetricKeySize === 0;
  if (empty) throw wrongKey("it is empty");
  return createHmac("sha256", key).update(text).digest();
}

function ed25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType === "ed25519") return key;
  throw wrongKey(`an asymmetric key must be Ed25519, not ${key.asymmetricKeyType ?? "unknown"}`);
}

const wrongKey = (why: string): GatewayError =>
  new GatewayError("USER_INPUT", `The service map's key cannot be used: ${why}`);
