import { floorOf } from "@cortex-os/protocol";
import { describe, expect, test } from "vitest";
import { NO_SERVICE_MAPS, type StoredServiceMaps } from "../stored-service-maps.js";
import { accepting, floorIn, takeMap, type IncomingJudgement, type ShelvedMap, type TakenMap } from "../take-map.js";
import { incoming, judgement, OTHER_KEY, START, storedMap, verified } from "./map-set-up.js";

const MINUTE = 60_000;
const FIVE = ["a", "b", "c", "d", "e"];

function take(state: StoredServiceMaps, map: ShelvedMap, changes: Partial<IncomingJudgement> = {}): TakenMap {
  return takeMap(state, map, { ...judgement(START + MINUTE), holdRemovals: true, isExpired: () => false, ...changes });
}

/** The state after these maps came in, one after the other. */
const after = (...maps: readonly ShelvedMap[]): StoredServiceMaps =>
  maps.reduce((state, map) => take(state, map).state, NO_SERVICE_MAPS);

const idsOf = (state: StoredServiceMaps): (string | undefined)[] =>
  state.previous.map((stored) => verified(stored)?.payload.id);

describe("a map that comes in (R2: rollback)", () => {
  test("is accepted when it is the first, and sets the floor", () => {
    const first = incoming();
    expect(take(NO_SERVICE_MAPS, first)).toEqual({
      taken: { kind: "changed" },
      state: { accepted: first.stored, floor: floorOf(first.map), previous: [], savedAtMs: START + MINUTE },
    });
  });

  test("is accepted when it is newer, and the one before it is kept to roll back to", () => {
    const [first, second] = [incoming(), incoming({ atMs: START + 1, connectors: ["b"] })];
    const { state, taken } = take(after(first), second);
    expect(taken).toEqual({ kind: "changed" });
    expect(state).toMatchObject({ accepted: second.stored, floor: floorOf(second.map), previous: [first.stored] });
  });

  test("of the same moment goes by its id", () => {
    const [lower, higher] = [incoming(), incoming()];
    expect(take(after(lower), higher).taken.kind).toBe("changed");
    expect(take(after(higher), lower).taken).toMatchObject({ kind: "refused", rule: "older" });
  });

  test("that is older is refused, and nothing is to be stored", () => {
    const state = after(incoming({ atMs: START + 1 }));
    const older = take(state, incoming());
    expect(older.taken).toMatchObject({ kind: "refused", rule: "older" });
    expect(older.state).toBe(state);
  });

  test("with the id and time of the floor and other bytes is a conflict", () => {
    const first = incoming({ id: "01HF7YAT00AAAAAAAAAAAAAAAA" });
    const twin = incoming({ id: "01HF7YAT00AAAAAAAAAAAAAAAA", connectors: ["other"] });
    const { taken, state } = take(after(first), twin);
    expect(taken).toMatchObject({ kind: "refused", rule: "conflict" });
    expect(state).toEqual(after(first));
  });

  test("that is the accepted one changes nothing, and there is nothing to store", () => {
    const first = incoming();
    const state = after(first);
    const again = take(state, first);
    expect(again.taken).toEqual({ kind: "unchanged" });
    expect(again.state).toBe(state);
  });

  test("that is the accepted one raises a floor that was reset or lost", () => {
    const first = incoming();
    const { floor: _, ...damaged } = after(first);
    expect(take(damaged, first)).toMatchObject({ taken: { kind: "unchanged" }, state: { floor: floorOf(first.map) } });
  });

  test("where the floor was lost is held against the map accepted last", () => {
    const first = incoming({ atMs: START + 1 });
    const { floor: _, ...damaged } = after(first);
    expect(floorIn(damaged, judgement())).toEqual(floorOf(first.map));
    expect(take(damaged, incoming()).taken).toMatchObject({ kind: "refused", rule: "older" });
    expect(floorIn(NO_SERVICE_MAPS, judgement())).toBeUndefined();
  });

  test("that is the floor's own, though the accepted bytes are lost, is accepted again", () => {
    const first = incoming();
    const { accepted: _, ...lost } = after(first);
    expect(take(lost, first)).toMatchObject({ taken: { kind: "changed" }, state: { accepted: first.stored } });
  });
});

describe("what is kept to roll back to (R6)", () => {
  test("only maps with other connectors: a map that is signed anew takes its forerunner's place", () => {
    const [a1, a2, b1, b2] = [
      incoming({ connectors: ["a"] }),
      incoming({ connectors: ["a"], atMs: START + 1 }),
      incoming({ connectors: ["b"], atMs: START + 2 }),
      incoming({ connectors: ["b"], atMs: START + 3 }),
    ];
    expect(idsOf(after(a1, a2, b1, b2))).toEqual([a2.map.payload.id]);
  });

  test("five at most, newest first", () => {
    const maps = Array.from({ length: 8 }, (_, at) => incoming({ connectors: [`c${at}`], atMs: START + at }));
    expect(idsOf(after(...maps))).toEqual([6, 5, 4, 3, 2].map((at) => maps[at]?.map.payload.id));
  });

  test("the pinned one stays, however many come after it, and also when it was only signed anew", () => {
    const pinned = incoming({ connectors: ["p"] });
    const more = Array.from({ length: 8 }, (_, at) => incoming({ connectors: ["p", `c${at}`], atMs: START + 2 + at }));
    const again = incoming({ connectors: ["p"], atMs: START + 1 });
    const start: StoredServiceMaps = { ...after(pinned), pinned: pinned.map.digest };
    const state = [again, ...more].reduce((now, map) => take(now, map).state, start);
    expect(state.pinned).toBe(pinned.map.digest);
    expect(idsOf(state)).toEqual([6, 5, 4, 3].map((at) => more[at]?.map.payload.id).concat(pinned.map.payload.id));
  });

  test("nothing that no key vouches for any more", () => {
    const [first, second] = [incoming(), incoming({ atMs: START + 1, connectors: ["b"] })];
    const state: StoredServiceMaps = { ...after(first), previous: [storedMap({ key: OTHER_KEY })] };
    expect(accepting(state, second, judgement()).previous).toEqual([first.stored]);
  });
});

describe("a map that removes most connectors (R6)", () => {
  const big = incoming({ connectors: FIVE });
  const small = incoming({ connectors: ["a", "b"], atMs: START + 1 });

  test("is held: the accepted one stays, and so does the floor", () => {
    const { state, taken } = take(after(big), small);
    expect(taken).toEqual({ kind: "held", removed: ["c", "d", "e"] });
    expect(state).toEqual({ ...after(big), held: small.stored, savedAtMs: START + MINUTE });
  });

  test("is held once: the same again stores nothing, one signed anew takes its place", () => {
    const { state } = take(after(big), small);
    expect(take(state, small).state).toBe(state);
    const anew = incoming({ connectors: ["a", "b"], atMs: START + 2 });
    expect(take(state, anew)).toMatchObject({
      taken: { kind: "held" },
      state: { held: anew.stored, accepted: big.stored },
    });
  });

  test("is forgotten when one comes that is no such map", () => {
    const { state } = take(after(big), small);
    const mended = incoming({ connectors: ["a", "b", "c"], atMs: START + 2 });
    const next = take(state, mended);
    expect(next.taken).toEqual({ kind: "changed" });
    expect(next.state.held).toBeUndefined();
    expect(next.state.accepted).toBe(mended.stored);
  });

  test("stays held while the publisher says the accepted one again, as a slow replica of it does", () => {
    const { state } = take(after(big), small);
    expect(take(state, big)).toEqual({ state, taken: { kind: "unchanged" } });
  });

  test.each([
    ["is accepted where holding is off", { holdRemovals: false }],
    ["is accepted when the accepted one is too old to be served", { isExpired: () => true }],
  ])("%s", (_, changes) => {
    expect(take(after(big), small, changes)).toMatchObject({
      taken: { kind: "changed" },
      state: { accepted: small.stored },
    });
  });
});
