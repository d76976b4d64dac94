import { z } from "zod";
import { KeyRing } from "./key-ring.js";

const jwkSchema = z.looseObject({
  kty: z.enum(["oct", "OKP"]),
  kid: z.string().optional(),
  x: z.string().optional(),
  d: z.string().optional(),
  k: z.string().optional(),
});

const jwkSetSchema = z.looseObject({ keys: z.array(jwkSchema) });

/** One key of a {@link JwkSet}: `oct` for HMAC-SHA256, `OKP` for Ed25519. */
export type Jwk = z.infer<typeof jwkSchema>;

/** A set of keys for service maps (RFC 7517, section 5). What we do not know of it is kept. */
export type JwkSet = z.infer<typeof jwkSetSchema>;

/**
 * A value that was read from a JSON file, as a JWK Set that gateways can use.
 *
 * @throws GatewayError USER_INPUT as `KeyRing.fromJwks` does
 */
export function jwkSetOf(value: unknown): JwkSet {
  KeyRing.fromJwks(value);
  return jwkSetSchema.parse(value);
}

/** What others may see of a set: the public halves of its Ed25519 keys. An HMAC key has none and is left out. */
export function publicJwksOf({ keys }: JwkSet): JwkSet {
  return { keys: keys.filter(({ kty }) => kty === "OKP").map(({ d: _private, ...rest }) => rest) };
}

/** Whether a set holds nothing that must stay secret. */
export const isPublicJwks = ({ keys }: JwkSet): boolean => keys.every(({ kty, d }) => kty === "OKP" && d === undefined);
