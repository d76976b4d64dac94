import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { publicJwksOf, type Jwk, type JwkSet } from "./jwk.js";

/** What a key for service maps can be. HMAC is symmetric: whoever can verify can sign. */
export type SigningKeyKind = "ed25519" | "hmac";

/** A fresh key, as two sets. */
export interface GeneratedKeySet {
  /** For the publisher alone. For HMAC this is also what gateways need. */
  readonly privateJwks: JwkSet;
  /** For the gateways; without keys for HMAC, which has no public half. */
  readonly publicJwks: JwkSet;
}

const KID_LENGTH = 16;
/** As long as what it makes; R2 asks for no less. */
const HMAC_KEY_BYTES = 32;

/**
 * Makes a key. Without a `kid` an Ed25519 key is named by the beginning of its thumbprint (RFC 7638), an HMAC key by chance: a name is public, and
 * must tell nothing about the key.
 */
export function generateKeySet({
  kind,
  kid,
}: {
  readonly kind: SigningKeyKind;
  readonly kid?: string;
}): GeneratedKeySet {
  const jwk = kind === "hmac" ? hmacKey(kid) : ed25519Key(kid);
  const privateJwks = { keys: [jwk] };
  return { privateJwks, publicJwks: publicJwksOf(privateJwks) };
}

/** The thumbprint of an Ed25519 public key (RFC 7638, RFC 8037): the same for everybody who has the key. */
export function thumbprintOf(x: string): string {
  // The members that RFC 8037 names, in the order that RFC 7638 hashes them in.
  return createHash("sha256")
    .update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x }))
    .digest("base64url");
}

function ed25519Key(kid: string | undefined): Jwk {
  const { x = "", d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const name = kid ?? thumbprintOf(x).slice(0, KID_LENGTH);
  return { kty: "OKP", crv: "Ed25519", kid: name, use: "sig", alg: "EdDSA", x, d };
}

function hmacKey(kid: string | undefined): Jwk {
  const name = kid ?? randomBytes((KID_LENGTH * 3) / 4).toString("base64url");
  return { kty: "oct", kid: name, use: "sig", alg: "HS256", k: randomBytes(HMAC_KEY_BYTES).toString("base64url") };
}
