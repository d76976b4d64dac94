import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { GatewayError } from "@cortex-os/mcp-core";
import { jwkSetOf, type Jwk } from "./jwk.js";
import { KeyRing, weakKeys } from "./key-ring.js";
import { quotedName } from "./place.js";

/** What a publisher signs with. */
export interface SigningKey {
  /** Text or a secret key signs with HMAC-SHA256, a private Ed25519 key with Ed25519. */
  readonly key: string | KeyObject;
  /** Goes into the map as `kid`, so that gateways know which key of their ring to take. */
  readonly kid?: string;
}

/**
 * The key of a private JWK Set to sign with: the one named `kid`, else the first.
 *
 * @throws GatewayError USER_INPUT when there is none of that name, or it cannot sign; a key's value is in no message
 */
export function signingKeyFromJwks(jwks: unknown, kid?: string): SigningKey {
  const { keys } = jwkSetOf(jwks);
  const at = kid === undefined ? 0 : keys.findIndex((key) => key.kid === kid);
  const jwk = keys[at];
  if (jwk === undefined) throw noSuchKey(keys, kid);
  const key = privateKeyOf(jwk, jwk.kid === undefined ? `keys[${at}]` : `the key ${quotedName(jwk.kid)}`);
  return { key, ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) };
}

/**
 * The key that the text of an environment variable is: its UTF-8 bytes, for HMAC-SHA256.
 *
 * @throws GatewayError USER_INPUT for fewer than 32 bytes (R2)
 */
export function signingKeyFromSecret(secret: string): SigningKey {
  if (weakKeys(KeyRing.fromSecret(secret)).length === 0) return { key: secret };
  throw refused(
    "CONNECTORS_SIGNATURE_KEY",
    "it has fewer than 32 bytes and could be guessed; openssl rand -base64 48 makes a good one",
  );
}

/** The ring of a gateway that accepts what `key` signs, and nothing else. */
export function ringOf({ key, kid }: SigningKey): KeyRing {
  if (typeof key === "string" && kid === undefined) return KeyRing.fromSecret(key);
  const secret = typeof key === "string" ? createSecretKey(key, "utf8") : key;
  const verifying = secret.type === "secret" ? secret : createPublicKey(secret);
  return KeyRing.fromJwks({
    keys: [{ ...verifying.export({ format: "jwk" }), ...(kid === undefined ? {} : { kid }) }],
  });
}

function noSuchKey(keys: readonly Jwk[], kid: string | undefined): GatewayError {
  if (kid === undefined) return refused("the key set", "it is empty; cortex-mcp map keygen --add puts a key into it");
  const names = keys.flatMap((key) => (key.kid === undefined ? [] : [quotedName(key.kid)]));
  return refused("the key set", `it has no key ${quotedName(kid)}; it has ${names.join(", ") || "none with a kid"}`);
}

function privateKeyOf(jwk: Jwk, name: string): KeyObject {
  if (jwk.kty === "oct") {
    if (weakKeys(KeyRing.fromJwks({ keys: [jwk] })).length === 0) return createSecretKey(jwk.k ?? "", "base64url");
    throw refused(name, "it has fewer than 32 bytes and could be guessed; cortex-mcp map keygen makes a good one");
  }
  if (jwk.d === undefined) throw refused(name, 'it is a public key (it has no "d"); name the file of the private set');
  const key = ed25519Of(jwk, jwk.d);
  if (key !== undefined) return key;
  throw refused(name, '"d" and "x" are no pair; cortex-mcp map keygen makes one');
}

/** The private key, if both halves belong together: gateways verify with the public one as it was published. */
function ed25519Of({ x = "" }: Jwk, d: string): KeyObject | undefined {
  try {
    const key = createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", x, d }, format: "jwk" });
    return createPublicKey(key).export({ format: "jwk" }).x === x ? key : undefined;
  } catch {
    // Node's own message is of no use, and could quote the key.
    return undefined;
  }
}

const refused = (name: string, why: string): GatewayError =>
  new GatewayError("USER_INPUT", `${name} cannot sign a service map: ${why}`);
