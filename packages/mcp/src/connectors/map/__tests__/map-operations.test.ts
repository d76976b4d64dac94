import { floorOf } from "@cortex-os/protocol";
import { describe, expect, test } from "vitest";
import { applyMapOperation, LOWEST_FLOOR, type MapOperation } from "../map-operations.js";
import { connectorsDigest } from "../map-diff.js";
import { entryOf } from "./map-payload.js";
import { NO_SERVICE_MAPS, type StoredServiceMaps } from "../stored-service-maps.js";
import { takeMap, type ShelvedMap } from "../take-map.js";
import { incoming, judgement, OTHER_KEY, ring, START, storedMap } from "./map-set-up.js";

const [oldest, older, newest] = [
  incoming({ connectors: ["a", "b", "c", "d"] }),
  incoming({ connectors: ["a", "b", "c", "d", "e"], atMs: START + 1 }),
  incoming({ connectors: ["a", "b", "c", "d", "f"], atMs: START + 2 }),
];
const held = incoming({ connectors: [], atMs: START + 3 });
const LATER = START + 3_600_000;

const after = (...maps: readonly ShelvedMap[]): StoredServiceMaps =>
  maps.reduce(
    (state, map) => takeMap(state, map, { ...judgement(START), holdRemovals: true, isExpired: () => false }).state,
    NO_SERVICE_MAPS,
  );

const STATE = after(oldest, older, newest);
const idOf = ({ map }: ShelvedMap): string => map.payload.id;

function apply(state: StoredServiceMaps, operation: MapOperation): ReturnType<typeof applyMapOperation> {
  return applyMapOperation(state, operation, { keys: ring(), nowMs: LATER });
}

const refusal = (message: string): object => ({ code: "USER_INPUT", message: expect.stringContaining(message) });
const refused = (state: StoredServiceMaps, operation: MapOperation, message: string): void => {
  expect(() => apply(state, operation)).toThrow(expect.objectContaining(refusal(message)));
};

describe("pin (R6)", () => {
  test("without an id takes the map in force, and leaves the floor", () => {
    const { state, result } = apply(STATE, { kind: "pin" });
    expect(state).toEqual({ ...STATE, pinned: newest.map.digest, savedAtMs: LATER });
    expect(result).toEqual({ id: idOf(newest), message: expect.stringContaining(`${idOf(newest)} of 2023-11-14`) });
  });

  test("with an id takes that map, also an older one; without one keeps what is pinned", () => {
    const { state } = apply(STATE, { kind: "pin", id: idOf(oldest) });
    expect(state.pinned).toBe(oldest.map.digest);
    expect(apply(state, { kind: "pin" }).result.id).toBe(idOf(oldest));
  });

  test("of an unknown id names the known ones; of a held one tells what to do", () => {
    refused(STATE, { kind: "pin", id: "nope" }, `There is no service map "nope" to pin: known are ${idOf(newest)} of `);
    refused(after(oldest, older, newest, held), { kind: "pin", id: idOf(held) }, "it is held: accept it first");
    refused(NO_SERVICE_MAPS, { kind: "pin" }, "There is no service map yet");
  });

  test("does not find a map whose key was removed", () => {
    const state = { ...STATE, previous: [storedMap({ key: OTHER_KEY, id: "01HF7YAT00AAAAAAAAAAAAAAAA" })] };
    refused(state, { kind: "pin", id: "01HF7YAT00AAAAAAAAAAAAAAAA" }, "There is no service map");
  });
});

describe("a map that is too old to be served", () => {
  const deps = { keys: ring(), nowMs: LATER, isExpired: () => true };

  test.each([{ kind: "pin" }, { kind: "pin", id: idOf(oldest) }, { kind: "rollback" }] as const)(
    "is not pinned by %j: its connectors would go down",
    (operation) => {
      expect(() => applyMapOperation(STATE, operation, deps)).toThrow(
        expect.objectContaining(refusal("is too old to be served: pinned, it would take its connectors down")),
      );
    },
  );

  test("is unpinned all the same", () => {
    const { state } = apply(STATE, { kind: "pin" });
    expect(applyMapOperation(state, { kind: "unpin" }, deps).state.pinned).toBeUndefined();
  });
});

describe("unpin (R6)", () => {
  test("goes back to the newest", () => {
    const { state, result } = apply(apply(STATE, { kind: "rollback" }).state, { kind: "unpin" });
    expect(state).toEqual({ ...STATE, savedAtMs: LATER });
    expect(result).toEqual({ id: idOf(newest), message: expect.stringContaining("is in force") });
  });

  test("says what is in force when no map is any more", () => {
    const { result } = apply({ ...NO_SERVICE_MAPS, pinned: "gone" }, { kind: "unpin" });
    expect(result).toEqual({ message: expect.stringContaining("no service map is in force until one is fetched") });
  });

  test("of nothing is refused", () => {
    refused(STATE, { kind: "unpin" }, "No service map is pinned");
  });
});

describe("rollback (R6)", () => {
  test("pins the newest before the one in force, step by step, and keeps the floor", () => {
    const once = apply(STATE, { kind: "rollback" });
    expect(once).toMatchObject({
      result: { id: idOf(older) },
      state: { pinned: older.map.digest, floor: STATE.floor },
    });
    const twice = apply(once.state, { kind: "rollback" });
    expect(twice.result.id).toBe(idOf(oldest));
    refused(twice.state, { kind: "rollback" }, "There is no older service map");
  });

  test("without anything older is refused", () => {
    refused(NO_SERVICE_MAPS, { kind: "rollback" }, "There is no older service map");
    refused(after(oldest), { kind: "rollback" }, "There is no older service map");
  });

  test("where the accepted map's key was removed takes the newest that is left", () => {
    const state = { ...STATE, accepted: storedMap({ key: OTHER_KEY }) };
    expect(apply(state, { kind: "rollback" }).result.id).toBe(idOf(older));
  });
});

describe("accept (R6)", () => {
  const waiting = after(oldest, older, newest, held);

  test("puts the held map in force and raises the floor", () => {
    const { state, result } = apply(waiting, { kind: "accept" });
    expect(state).toMatchObject({ accepted: held.stored, floor: floorOf(held.map), savedAtMs: LATER });
    expect(state.held).toBeUndefined();
    expect(state.previous[0]).toBe(newest.stored);
    expect(result).toEqual({ id: idOf(held), message: expect.stringMatching(/is in force$/) });
  });

  test("leaves the pin alone and says so", () => {
    const pinned = apply(waiting, { kind: "pin" }).state;
    const { state, result } = apply(pinned, { kind: "accept" });
    expect(state.pinned).toBe(newest.map.digest);
    expect(result.message).toContain("the pinned one stays in force until `cortex-mcp map pin --off`");
  });

  test("of another map than the person saw is refused, unless it is the same one signed anew", () => {
    const seen = { id: idOf(held), connectorsDigest: connectorsDigest(held.map.payload) };
    const [anew, other] = [
      incoming({ connectors: [], atMs: START + 4 }),
      incoming({ connectors: ["z"], atMs: START + 5 }),
    ];
    const accept = (now: ShelvedMap, shown: Omit<MapOperation & { kind: "accept" }, "kind">): (() => unknown) => {
      const state = after(oldest, older, newest, held, now);
      return () => apply(state, { kind: "accept", ...shown }).result.id;
    };
    expect(accept(held, seen)()).toBe(idOf(held));
    expect(accept(anew, seen)()).toBe(idOf(anew));
    const message = `Another service map is held by now, ${idOf(other)}: look again with cortex-mcp map diff`;
    for (const shown of [seen, { id: seen.id }, { connectorsDigest: seen.connectorsDigest }])
      expect(accept(other, shown)).toThrow(expect.objectContaining(refusal(message)));
    expect(accept(anew, { id: seen.id })).toThrow(expect.objectContaining(refusal("Another service map is held")));
    expect(accept(other, { id: idOf(other) })()).toBe(idOf(other));
  });

  test("of one that names the seen map's id and keeps what it keeps, with another address, is refused", () => {
    const evil = { ...entryOf("a"), endpoint: "https://evil.example/mcp" };
    const [fair, foul] = [
      incoming({ connectors: ["a"], atMs: START + 4 }),
      incoming({ connectors: [evil], atMs: START + 5 }),
    ];
    const seen = connectorsDigest(fair.map.payload);
    refused(
      after(oldest, fair, foul),
      { kind: "accept", connectorsDigest: seen },
      "Another service map is held by now",
    );
  });

  test("of nothing, of a map whose key was removed, or of one below the floor is refused", () => {
    refused(STATE, { kind: "accept" }, "No service map is held");
    refused({ ...STATE, held: storedMap({ key: OTHER_KEY }) }, { kind: "accept" }, "a key that is not valid any more");
    refused({ ...STATE, held: oldest.stored }, { kind: "accept" }, "older than the one");
  });
});

describe("reset-floor (reliability.md, 5.2: fast-forward recovery)", () => {
  test("lets an older map in again, also over a map that was accepted from the far future", () => {
    const far = incoming({ connectors: ["a"], atMs: START + 1_000_000_000 });
    const { state, result } = apply(after(far), { kind: "reset-floor" });
    expect(state).toMatchObject({ accepted: far.stored, floor: LOWEST_FLOOR });
    expect(result.message).toContain("however old it is");
    const taken = takeMap(state, oldest, { ...judgement(START), holdRemovals: true, isExpired: () => false });
    expect(taken).toMatchObject({
      taken: { kind: "changed" },
      state: { accepted: oldest.stored, floor: floorOf(oldest.map) },
    });
  });
});

test("no operation makes stored maps look younger when the clock was set back", () => {
  const state = { ...STATE, savedAtMs: LATER + 5 };
  expect(apply(state, { kind: "pin" }).state.savedAtMs).toBe(LATER + 5);
});
