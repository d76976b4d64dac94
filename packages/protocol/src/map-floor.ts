import type { VerifiedServiceMap } from "./read-service-map.js";

/** The newest map that was ever accepted; kept for ever, so that no older one is (R2: rollback). */
export interface MapFloor {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly generatedAtMs: number;
  /** See `VerifiedServiceMap.digest`. */
  readonly digest: string;
  readonly kid?: string | undefined;
}

/** What {@link againstFloor} says. */
export type FloorVerdict = "newer" | "same" | { readonly rule: "older" | "conflict"; readonly reason: string };

/** The floor that accepting `map` sets. */
export function floorOf({ payload, generatedAtMs, digest, kid }: VerifiedServiceMap): MapFloor {
  return { id: payload.id, generatedAtMs, digest, ...(kid === undefined ? {} : { kid }) };
}

/**
 * Whether a verified map may follow the newest one accepted (reliability.md, 5.2): `(generatedAt, id)` is compared as a pair, because ids
 * alone are no proof of order. Without a floor every map is newer. The same pair with another content is a conflict: one of the two was
 * not made by a publisher that keeps the rules.
 */
export function againstFloor(map: VerifiedServiceMap, floor: MapFloor | undefined): FloorVerdict {
  if (floor === undefined) return "newer";
  const order = map.generatedAtMs - floor.generatedAtMs || compare(map.payload.id, floor.id);
  if (order > 0) return "newer";
  const theirs = new Date(map.generatedAtMs).toISOString();
  if (order < 0) {
    const ours = new Date(floor.generatedAtMs).toISOString();
    return { rule: "older", reason: `is of ${theirs}, older than the one of ${ours} that was accepted already` };
  }
  if (map.digest === floor.digest) return "same";
  return {
    rule: "conflict",
    reason: `has the id and time (${theirs}) of one that was accepted already, with another content`,
  };
}

/** ULIDs are the same in either case. */
function compare(a: string, b: string): number {
  const [left, right] = [a.toUpperCase(), b.toUpperCase()];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
