import {
  againstFloor,
  readServiceMap,
  type KeyRing,
  type MapFloor,
  type VerifiedServiceMap,
} from "@cortex-os/protocol";
import { GatewayError } from "@cortex-os/mcp-core";
import { connectorsDigest } from "./map-diff.js";
import type { StoredMap, StoredServiceMaps } from "./stored-service-maps.js";
import { accepting, shelved, type MapJudgement, type ShelvedMap } from "./take-map.js";

/** What a person can do about the service map (R6). */
export type MapOperation =
  /** Keeps this map in force whatever comes; without `id` the one in force. */
  | { readonly kind: "pin"; readonly id?: string }
  | { readonly kind: "unpin" }
  /** Pins the newest map before the one in force. */
  | { readonly kind: "rollback" }
  /**
   * Puts the held map in force: with what the person saw (`KnownMap`'s `id` or `connectorsDigest`, which also allows for a map that was signed anew) only that
   * one, though the publisher may have sent another since.
   */
  | ({ readonly kind: "accept" } & SeenMap)
  /** Lets older maps in again: the way out after a map with a time far ahead was accepted. */
  | { readonly kind: "reset-floor" };

/** Which held map a person saw. */
interface SeenMap {
  readonly id?: string;
  /** Decides alone where it is given. */
  readonly connectorsDigest?: string;
}

/** What an operation did. */
export interface MapOperationResult {
  /** One sentence for a person. */
  readonly message: string;
  /** The map that it was about. */
  readonly id?: string;
}

/** What {@link applyMapOperation} needs. */
export interface MapOperationDeps {
  readonly keys: KeyRing;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Whether a map is too old to be served, so that pinning it would only take its connectors down. @default none is */
  readonly isExpired?: (map: VerifiedServiceMap) => boolean;
}

/** Below every map. Not the same as no floor, which a damaged file has and which the accepted map then makes up for. */
export const LOWEST_FLOOR: MapFloor = { id: "", generatedAtMs: 0, digest: "" };

/**
 * Applies an operation to what is stored. The floor stays through all of them but two: `accept` raises it, `reset-floor` lowers it.
 *
 * @throws GatewayError `USER_INPUT` when there is nothing to apply it to; the message tells what there is
 */
export function applyMapOperation(
  state: StoredServiceMaps,
  operation: MapOperation,
  { keys, nowMs, isExpired = () => false }: MapOperationDeps,
): { readonly state: StoredServiceMaps; readonly result: MapOperationResult } {
  const read = (stored: StoredMap): ReturnType<MapJudgement["read"]> => {
    const reading = readServiceMap(stored.body, { keys, nowMs, allowExpired: true, allowFuture: true });
    return reading.ok ? reading.map : undefined;
  };
  const judgement: MapJudgement = { read, nowMs };
  // A clock that was set back must not make the stored maps look younger at the next start.
  const savedAtMs = Math.max(nowMs, state.savedAtMs);
  switch (operation.kind) {
    case "pin": {
      const chosen = chosenBy(state, operation.id, judgement);
      refuseExpired(chosen, isExpired);
      return {
        state: { ...state, pinned: chosen.map.digest, savedAtMs },
        result: said(
          `${described(chosen)} is pinned: it stays in force whatever comes, until it is unpinned or too old`,
          chosen,
        ),
      };
    }
    case "unpin": {
      if (state.pinned === undefined) throw new GatewayError("USER_INPUT", "No service map is pinned: nothing to do");
      const { pinned: _, ...rest } = state;
      const accepted = shelved(state.accepted, judgement);
      const now =
        accepted === undefined
          ? "no service map is in force until one is fetched"
          : `${described(accepted)} is in force`;
      return { state: { ...rest, savedAtMs }, result: said(`Nothing is pinned any more: ${now}`, accepted) };
    }
    case "rollback": {
      const chosen = before(state, judgement);
      refuseExpired(chosen, isExpired);
      return {
        state: { ...state, pinned: chosen.map.digest, savedAtMs },
        result: said(
          `Rolled back: ${described(chosen)} is pinned; \`cortex-mcp map pin --off\` goes back to the newest`,
          chosen,
        ),
      };
    }
    case "accept": {
      const held = acceptable(state, judgement);
      refuseUnseen(held, operation);
      const kept =
        state.pinned === undefined
          ? "is in force"
          : "is accepted; the pinned one stays in force until `cortex-mcp map pin --off`";
      return { state: accepting(state, held, judgement), result: said(`${described(held)} ${kept}`, held) };
    }
    case "reset-floor":
      return {
        state: { ...state, floor: LOWEST_FLOOR, savedAtMs },
        result: { message: "The floor is reset: the next valid service map is accepted, however old it is" },
      };
  }
}

/** Every map that can be in force, newest first. */
const usable = (state: StoredServiceMaps, judgement: MapJudgement): readonly ShelvedMap[] =>
  [state.accepted, ...state.previous].flatMap((stored) => shelved(stored, judgement) ?? []);

function chosenBy(state: StoredServiceMaps, id: string | undefined, judgement: MapJudgement): ShelvedMap {
  const known = usable(state, judgement);
  const [newest] = known;
  if (newest === undefined) throw new GatewayError("USER_INPUT", "There is no service map yet: nothing can be pinned");
  if (id === undefined) return known.find(({ map }) => map.digest === state.pinned) ?? newest;
  const chosen = known.find(({ map }) => map.payload.id === id);
  if (chosen !== undefined) return chosen;
  const isHeld = shelved(state.held, judgement)?.map.payload.id === id;
  const hint = isHeld ? "it is held: accept it first" : `known are ${known.map(described).join(", ")}`;
  throw new GatewayError("USER_INPUT", `There is no service map ${JSON.stringify(id)} to pin: ${hint}`);
}

function refuseExpired(chosen: ShelvedMap, isExpired: (map: VerifiedServiceMap) => boolean): void {
  if (!isExpired(chosen.map)) return;
  const message = `The service map ${described(chosen)} is too old to be served: pinned, it would take its connectors down`;
  throw new GatewayError("USER_INPUT", message);
}

/** The newest map that is older than the one in force. */
function before(state: StoredServiceMaps, judgement: MapJudgement): ShelvedMap {
  const known = usable(state, judgement);
  const at = known.findIndex(({ map }) => map.digest === state.pinned);
  // An accepted map that no key verifies any more is not in force, and everything usable is older.
  const newest = shelved(state.accepted, judgement) === undefined ? 0 : 1;
  const chosen = known[at === -1 ? newest : at + 1];
  if (chosen !== undefined) return chosen;
  throw new GatewayError("USER_INPUT", "There is no older service map to roll back to");
}

function acceptable(state: StoredServiceMaps, judgement: MapJudgement): ShelvedMap {
  if (state.held === undefined) throw new GatewayError("USER_INPUT", "No service map is held: nothing to accept");
  const held = shelved(state.held, judgement);
  if (held === undefined) {
    const message = "The held service map is signed with a key that is not valid any more: fetch it anew";
    throw new GatewayError("USER_INPUT", message);
  }
  const verdict = againstFloor(held.map, state.floor);
  if (typeof verdict === "string") return held;
  throw new GatewayError("USER_INPUT", `The held service map ${verdict.reason}: fetch it anew`);
}

/** The publisher may have sent another map between the question and the answer. */
function refuseUnseen({ map: { payload } }: ShelvedMap, { id, connectorsDigest: digest }: SeenMap): void {
  const isSeen = digest === undefined ? id === undefined || id === payload.id : digest === connectorsDigest(payload);
  if (isSeen) return;
  const message = `Another service map is held by now, ${payload.id}: look again with cortex-mcp map diff`;
  throw new GatewayError("USER_INPUT", message);
}

const described = ({ map }: ShelvedMap): string => `${map.payload.id} of ${map.payload.generatedAt}`;

const said = (message: string, about: ShelvedMap | undefined): MapOperationResult => ({
  message,
  ...(about === undefined ? {} : { id: about.map.payload.id }),
});
