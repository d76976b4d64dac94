import type { KeyObject } from "node:crypto";

/** One key that may verify service maps. */
export interface RingKey {
  readonly kid?: string;
  /** How messages name it when it has no `kid`. */
  readonly name: string;
  readonly algorithm: "HS256" | "Ed25519";
  /** A secret key, or an Ed25519 public key. */
  readonly key: KeyObject;
}
