import {
  againstFloor,
  floorOf,
  type MapFloor,
  type ServiceMapPayload,
  type VerifiedServiceMap,
} from "@cortex-os/protocol";
import { sameConnectors } from "./map-diff.js";
import { massRemoval } from "./removal-guard.js";
import { MOST_PREVIOUS, type StoredMap, type StoredServiceMaps } from "./stored-service-maps.js";

/** A map together with the bytes it was read from. */
export interface ShelvedMap {
  readonly stored: StoredMap;
  readonly map: VerifiedServiceMap;
}

/** How a decision about stored maps looks at them. */
export interface MapJudgement {
  /** The map in these bytes, when one of the keys of now signed it. */
  readonly read: (stored: StoredMap) => VerifiedServiceMap | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** {@link MapJudgement} for maps that come in. */
export interface IncomingJudgement extends MapJudgement {
  /** Whether this map is past its bound: what is served no more cannot be taken away. */
  readonly isExpired: (map: VerifiedServiceMap) => boolean;
  /** Whether a map that removes most connectors waits for a person (R6). */
  readonly holdRemovals: boolean;
}

/** What became of a map that came in. */
export type Taken =
  | { readonly kind: "changed" | "unchanged" }
  | { readonly kind: "held"; readonly removed: readonly string[] }
  | { readonly kind: "refused"; readonly rule: "older" | "conflict"; readonly reason: string };

/** The state after a map came in; the very same object when nothing is to be stored. */
export interface TakenMap {
  readonly state: StoredServiceMaps;
  readonly taken: Taken;
}

/**
 * Decides about a verified map from the publisher (R2, R6): never an older one than the newest accepted, and one that takes most connectors away waits
 * for a person's word. Only what this returns, once stored durably, may be put in force.
 */
export function takeMap(state: StoredServiceMaps, incoming: ShelvedMap, judgement: IncomingJudgement): TakenMap {
  const { map } = incoming;
  const verdict = againstFloor(map, floorIn(state, judgement));
  if (typeof verdict === "object") return { state, taken: { kind: "refused", ...verdict } };
  const accepted = shelved(state.accepted, judgement);
  if (accepted?.map.digest === map.digest) {
    // The floor may have been reset, or damaged: whatever is accepted is at or above it.
    const settled = state.floor?.digest === map.digest;
    return { state: settled ? state : { ...state, floor: floorOf(map) }, taken: { kind: "unchanged" } };
  }
  if (judgement.holdRemovals && accepted !== undefined && !judgement.isExpired(accepted.map)) {
    const removed = massRemoval(accepted.map.payload, map.payload);
    if (removed !== undefined) return { state: holding(state, incoming, judgement), taken: { kind: "held", removed } };
  }
  return { state: accepting(state, incoming, judgement), taken: { kind: "changed" } };
}

/**
 * The floor of a state: as stored, else (it was damaged) that of the map accepted last, which its signature vouches for.
 */
export function floorIn(state: StoredServiceMaps, judgement: MapJudgement): MapFloor | undefined {
  if (state.floor !== undefined) return state.floor;
  const accepted = shelved(state.accepted, judgement);
  return accepted === undefined ? undefined : floorOf(accepted.map);
}

/** `map` in the place of the accepted one, as the new floor; nothing is held any more. */
export function accepting(
  state: StoredServiceMaps,
  { stored, map }: ShelvedMap,
  judgement: MapJudgement,
): StoredServiceMaps {
  const { held: _, ...rest } = state;
  return {
    ...rest,
    floor: floorOf(map),
    accepted: stored,
    previous: retired(state, map.payload, judgement),
    savedAtMs: judgement.nowMs,
  };
}

/** The stored map with its contents, unless no key of now signed it. */
export function shelved(stored: StoredMap | undefined, { read }: MapJudgement): ShelvedMap | undefined {
  const map = stored === undefined ? undefined : read(stored);
  return stored === undefined || map === undefined ? undefined : { stored, map };
}

function holding(state: StoredServiceMaps, { stored, map }: ShelvedMap, judgement: MapJudgement): StoredServiceMaps {
  if (shelved(state.held, judgement)?.map.digest === map.digest) return state;
  return { ...state, held: stored, savedAtMs: judgement.nowMs };
}

/**
 * What there is to roll back to once `next` is accepted. A map that is only signed anew would push the others out within minutes, so one with the same
 * connectors takes its forerunner's place; the pinned one always stays.
 */
function retired(state: StoredServiceMaps, next: ServiceMapPayload, judgement: MapJudgement): readonly StoredMap[] {
  const known = [state.accepted, ...state.previous].flatMap((stored) => shelved(stored, judgement) ?? []);
  const isPinned = ({ map }: ShelvedMap): boolean => map.digest === state.pinned;
  const kept = known.filter((each, at) => at > 0 || isPinned(each) || !sameConnectors(each.map.payload, next));
  const newest = kept.slice(0, MOST_PREVIOUS);
  const pinned = kept.slice(MOST_PREVIOUS).find(isPinned);
  const all = pinned === undefined ? newest : [...newest.slice(0, -1), pinned];
  return all.map(({ stored }) => stored);
}
