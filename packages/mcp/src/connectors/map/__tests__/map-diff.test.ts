import { describe, expect, test } from "vitest";
import { connectorsDigest, diffMaps, sameConnectors } from "../map-diff.js";
import { massRemoval, removedConnectors } from "../removal-guard.js";
import { entryOf, payloadOf } from "./map-payload.js";

const named = (...ids: string[]): ReturnType<typeof payloadOf> => payloadOf(ids.map((id) => entryOf(id)));

describe("the difference of two service maps (R6)", () => {
  test("tells what came, went and changed, sorted, and names both maps", () => {
    const from = payloadOf([entryOf("d"), entryOf("a"), entryOf("c"), entryOf("b")]);
    const to = payloadOf(
      [
        entryOf("e"),
        entryOf("c", { version: "2.0.0", endpoint: "https://other.example/mcp" }),
        entryOf("b", { status: "disabled" }),
        entryOf("d"),
      ],
      { id: "01HF7YAT00BBBBBBBBBBBBBBBB", generatedAt: "2023-11-14T22:18:20.000Z" },
    );
    expect(diffMaps(from, to)).toEqual({
      from: { id: from.id, generatedAt: from.generatedAt },
      to: { id: to.id, generatedAt: to.generatedAt },
      added: ["e"],
      removed: ["a"],
      changed: [
        { id: "b", members: ["status"] },
        { id: "c", members: ["endpoint", "version"] },
      ],
      unchanged: 1,
    });
  });

  test("without a map before it everything is added", () => {
    expect(diffMaps(undefined, named("b", "a"))).toMatchObject({
      added: ["a", "b"],
      removed: [],
      changed: [],
      unchanged: 0,
    });
    expect(diffMaps(undefined, named()).from).toBeUndefined();
  });

  test("the two spellings of one connector are no change (R1), nor is the order of members", () => {
    const one = payloadOf([entryOf("a", { name: "A", ttlSeconds: 60, metadata: { x: 1, y: [2] } })]);
    const { name: _, status: __, ttlSeconds: ___, ...rest } = entryOf("a", { metadata: { y: [2], x: 1 } });
    const other = payloadOf([{ ...rest, displayName: "A", enabled: true, ttl: 60 }]);
    expect(sameConnectors(one, other)).toBe(true);
    expect(sameConnectors(one, payloadOf([{ ...rest, displayName: "A", enabled: false, ttl: 60 }]))).toBe(false);
  });

  test("a map that is only signed anew has the same digest, in whichever order; with anything else of a connector changed it has not", () => {
    const soon = { ttl: 1_699_999_700 };
    const map = payloadOf([entryOf("a", soon), entryOf("b")]);
    const anew = payloadOf([entryOf("b"), entryOf("a", { ttl: 1_700_000_000 })], { id: "other" });
    expect(connectorsDigest(map)).toMatch(/^[0-9a-f]{64}$/);
    expect(connectorsDigest(anew)).toBe(connectorsDigest(map));
    const others = [
      payloadOf([entryOf("a", soon)]),
      payloadOf([entryOf("a", soon), entryOf("b"), entryOf("c")]),
      ...[
        { endpoint: "https://evil.example/mcp" },
        { version: "9" },
        { status: "disabled" as const },
        { unknown: 1 },
      ].map((change) => payloadOf([entryOf("a", soon), entryOf("b", change)])),
    ];
    const digests = new Set([map, ...others].map(connectorsDigest));
    expect(digests.size).toBe(others.length + 1);
    for (const other of others) expect(sameConnectors(map, other)).toBe(false);
  });

  test("a member that only one of them has is a change", () => {
    const tagged = payloadOf([entryOf("a", { tags: ["x"] })]);
    expect(diffMaps(named("a"), tagged).changed).toEqual([{ id: "a", members: ["tags"] }]);
    expect(diffMaps(tagged, named("a")).changed).toEqual([{ id: "a", members: ["tags"] }]);
  });
});

describe("the guard against mass removal (R6)", () => {
  test.each([
    { before: 5, left: 2, held: true, why: "three of five" },
    { before: 5, left: 3, held: false, why: "two of five" },
    { before: 6, left: 3, held: false, why: "half, not more" },
    { before: 7, left: 3, held: true, why: "four of seven" },
    { before: 3, left: 0, held: true, why: "three of three" },
    { before: 2, left: 0, held: false, why: "fewer than three" },
    { before: 0, left: 0, held: false, why: "nothing" },
  ])("$why: held is $held", ({ before, left, held }) => {
    const ids = Array.from({ length: before }, (_, at) => `c${at}`);
    expect(massRemoval(named(...ids), named(...ids.slice(0, left)))).toEqual(held ? ids.slice(left) : undefined);
  });

  test("disabling counts as removing, in either spelling, and what was disabled before does not count", () => {
    const from = payloadOf([entryOf("a"), entryOf("b"), entryOf("c"), entryOf("x", { status: "disabled" })]);
    const to = payloadOf([entryOf("a", { status: "disabled" }), { ...entryOf("b"), enabled: false }]);
    expect(removedConnectors(from, to)).toEqual(["a", "b", "c"]);
    expect(massRemoval(from, to)).toEqual(["a", "b", "c"]);
  });

  test("connectors that are added do not make up for those that go", () => {
    expect(massRemoval(named("a", "b", "c"), named("d", "e", "f", "g"))).toEqual(["a", "b", "c"]);
  });
});
