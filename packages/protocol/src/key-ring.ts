import { createHash, createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { GatewayError } from "@cortex-os/mcp-core";
import { keysOfJwks } from "./jwks.js";
import { quotedName } from "./place.js";
import type { RingKey } from "./ring-key.js";
import { couldBeSignatureOf, signedText, verifySignedText } from "./signature.js";

/** Why {@link KeyRing.verify} refuses a map. */
export type KeyRingRule = "unsigned" | "unknown-key" | "signature";

/** What {@link KeyRing.verify} says. `kid` is the key's that verified, when it has one. */
export type KeyRingVerdict =
  | { readonly ok: true; readonly kid?: string }
  | { readonly ok: false; readonly rule: KeyRingRule };

/** HMAC keys shorter than this are refused in configuration (R2). */
const WEAK_BELOW_BYTES = 32;

/**
 * The keys that are valid at the moment, several at once, so that they rotate with no downtime (R2). Immutable.
 *
 * The entry fixes the algorithm, never the map: an attacker who knows a public key cannot use its bytes as an HMAC key. A map with a
 * `kid` is checked with that key only; one without with each HMAC key. A ring without keys accepts nothing.
 */
export class KeyRing {
  readonly #keys: readonly RingKey[];
  /** Another one when the ring is another one. A keyed hash: it tells no key, and may be logged. */
  readonly fingerprint: string;

  private constructor(keys: readonly RingKey[]) {
    this.#keys = distinct(keys);
    const prints = this.#keys.map((key) => JSON.stringify([key.kid ?? null, key.algorithm, printOf(key.key)]));
    this.fingerprint = createHash("sha256").update(prints.toSorted().join("\n")).digest("hex");
  }

  /**
   * A ring of one HMAC key without `kid`: `CONNECTORS_SIGNATURE_KEY`, as its UTF-8 bytes.
   *
   * @throws GatewayError `USER_INPUT` when it is empty
   */
  static fromSecret(secret: string): KeyRing {
    if (secret === "")
      throw new GatewayError("USER_INPUT", "CONNECTORS_SIGNATURE_KEY is empty: set a key of 32 bytes or more");
    const key = createSecretKey(secret, "utf8");
    return new KeyRing([{ name: "CONNECTORS_SIGNATURE_KEY", algorithm: "HS256", key }]);
  }

  /**
   * A ring from a JWK Set (RFC 7517): `kty: oct` for HMAC-SHA256, `kty: OKP` with `crv: Ed25519` for Ed25519, of which the public half is
   * taken. A set without keys is a ring without keys: whoever removes the last key means it.
   *
   * @throws GatewayError `USER_INPUT` naming the entry that cannot be used; nothing of a key is quoted
   */
  static fromJwks(jwks: unknown): KeyRing {
    return new KeyRing(keysOfJwks(jwks));
  }

  /**
   * All keys of several rings.
   *
   * @throws GatewayError `USER_INPUT` when two of them have one `kid` for different keys
   */
  static merge(...rings: readonly KeyRing[]): KeyRing {
    return new KeyRing(rings.flatMap((ring) => ring.#keys));
  }

  /** How many keys there are. */
  get size(): number {
    return this.#keys.length;
  }

  /** The names of the HMAC keys of fewer than 32 bytes: a `kid`, or where the key stands. */
  get weak(): readonly string[] {
    const weak = this.#keys.filter(
      ({ key }) => key.type === "secret" && (key.symmetricKeySize ?? 0) < WEAK_BELOW_BYTES,
    );
    return weak.map(({ kid, name }) => kid ?? name);
  }

  /**
   * Why no key can have signed this map, told without looking at what the signature covers: a hostile map costs no more than that.
   *
   * @returns `undefined` when {@link verify} has to decide
   */
  refusal(payload: object): KeyRingRule | undefined {
    const { kid, signature }: { kid?: unknown; signature?: unknown } = payload;
    if (typeof signature !== "string" || signature === "") return "unsigned";
    const candidates = this.#candidates(kid);
    if (candidates.length === 0) return "unknown-key";
    return candidates.some(({ key }) => couldBeSignatureOf(key, signature)) ? undefined : "signature";
  }

  /**
   * Whether one of the keys signed this map.
   *
   * @param text what the signature covers, when the caller has made it already
   */
  verify(payload: object, text?: string): KeyRingVerdict {
    const rule = this.refusal(payload);
    if (rule !== undefined) return { ok: false, rule };
    const { kid, signature }: { kid?: unknown; signature?: unknown } = payload;
    const covered = text ?? coveredText(payload);
    const match = this.#candidates(kid).find(
      ({ key }) => covered !== undefined && verifySignedText(covered, String(signature), key),
    );
    if (match === undefined) return { ok: false, rule: "signature" };
    return { ok: true, ...(match.kid === undefined ? {} : { kid: match.kid }) };
  }

  #candidates(kid: unknown): readonly RingKey[] {
    if (kid === undefined) return this.#keys.filter(({ algorithm }) => algorithm === "HS256");
    return this.#keys.filter((key) => key.kid === kid);
  }
}

/** The HMAC keys of a ring that configuration must refuse: by `kid`, `keys[n]` or `CONNECTORS_SIGNATURE_KEY` (R2: ≥ 32 bytes). */
export const weakKeys = (ring: KeyRing): readonly string[] => ring.weak;

/** @returns the keys, each once */
function distinct(keys: readonly RingKey[]): readonly RingKey[] {
  const kept: RingKey[] = [];
  for (const key of keys) {
    const rival = kept.find((each) => key.kid !== undefined && each.kid === key.kid);
    const same = kept.some(
      (each) => each.kid === key.kid && each.algorithm === key.algorithm && each.key.equals(key.key),
    );
    if (same) continue;
    if (rival !== undefined) {
      throw new GatewayError("USER_INPUT", `Two keys have the kid ${quotedName(key.kid ?? "")}: give each its own`);
    }
    kept.push(key);
  }
  return kept;
}

/** Not a plain hash of a secret: nothing that is logged may be easier to guess it from than a signed map already is. */
function printOf(key: KeyObject): string {
  if (key.type === "secret") return createHmac("sha256", key).update("cortex-mcp key ring").digest("hex");
  return key.export({ format: "der", type: "spki" }).toString("hex");
}

function coveredText(payload: object): string | undefined {
  try {
    return signedText(payload);
  } catch {
    return undefined;
  }
}
