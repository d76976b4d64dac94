import { createPublicKey, createSecretKey } from "node:crypto";
import { GatewayError } from "@cortex-os/mcp-core";
import { z } from "zod";
import { placeIn, placeOf } from "./place.js";
import type { RingKey } from "./ring-key.js";
import { decoded } from "./signature.js";

const text = z.string().min(1, "must not be empty");

/** What says what a key is for. It must be for signatures. */
const purpose = {
  use: z.literal("sig", 'must be "sig", or be left out').optional(),
  key_ops: z
    .array(z.string())
    .refine((operations) => operations.includes("verify") || operations.includes("sign"), "must hold verify or sign")
    .optional(),
};

const octSchema = z.looseObject({
  kty: z.literal("oct"),
  k: text,
  alg: z.literal("HS256", 'must be "HS256"').optional(),
  kid: text.optional(),
  ...purpose,
});

const okpSchema = z.looseObject({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519", 'must be "Ed25519"'),
  x: text,
  alg: z.enum(["EdDSA", "Ed25519"], 'must be "EdDSA" or "Ed25519"').optional(),
  kid: z.string("is needed: without it no map can name this key").min(1, "must not be empty"),
  ...purpose,
});

const NO_SET = "is no JWK Set (RFC 7517)";

const jwksSchema = z.looseObject(
  {
    keys: z.array(
      z.discriminatedUnion("kty", [octSchema, okpSchema], 'must be "oct" (HMAC-SHA256) or "OKP" (Ed25519)'),
      "must be an array of keys, as in a JWK Set (RFC 7517)",
    ),
  },
  NO_SET,
);

/**
 * The keys of a JWK Set that verify service maps; see `KeyRing.fromJwks`.
 *
 * @throws GatewayError `USER_INPUT`
 */
export function keysOfJwks(jwks: unknown): readonly RingKey[] {
  const parsed = jwksSchema.safeParse(jwks);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unusable(`${placeOf(placeIn(issue?.path ?? []))}: ${issue?.message ?? NO_SET}`);
  }
  return parsed.data.keys.map((jwk, at) => (jwk.kty === "oct" ? hmacKey(jwk, at) : ed25519Key(jwk, at)));
}

function hmacKey({ k, kid }: z.infer<typeof octSchema>, at: number): RingKey {
  const bytes = Buffer.from(k, "base64url");
  if (bytes.toString("base64url") !== k) throw unusable(`keys[${at}].k: must be base64url without padding`);
  return {
    name: `keys[${at}]`,
    algorithm: "HS256",
    key: createSecretKey(bytes),
    ...(kid === undefined ? {} : { kid }),
  };
}

/** Takes the public half only, also where the private one stands beside it. */
function ed25519Key({ crv, x, kid }: z.infer<typeof okpSchema>, at: number): RingKey {
  if (decoded(x, PUBLIC_KEY_BYTES) === undefined) {
    throw unusable(`keys[${at}].x: must be ${PUBLIC_KEY_BYTES} bytes as base64url without padding`);
  }
  const key = createPublicKey({ format: "jwk", key: { kty: "OKP", crv, x } });
  return { name: `keys[${at}]`, kid, algorithm: "Ed25519", key };
}

/** Bytes of an Ed25519 public key (RFC 8032). */
const PUBLIC_KEY_BYTES = 32;

const unusable = (problem: string): GatewayError =>
  new GatewayError("USER_INPUT", `The key ring cannot be used: ${problem}`);
