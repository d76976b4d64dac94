import { floorOf } from "@cortex-os/protocol";
import { describe, expect, test } from "vitest";
import { parseStored, storedText, type StoredServiceMaps } from "../stored-service-maps.js";
import { incoming, START, storedMap, verified } from "./map-set-up.js";

const accepted = incoming();
const FULL: StoredServiceMaps = {
  floor: floorOf(accepted.map),
  accepted: { ...accepted.stored, etag: '"x"' },
  held: storedMap({ connectors: [], atMs: START + 1 }),
  previous: [storedMap({ connectors: [], atMs: START - 1 })],
  pinned: accepted.map.digest,
  savedAtMs: START,
};

/** The text with one of its lines cut out or replaced. */
const without = (member: string, put = ""): string =>
  storedText(FULL)
    .split("\n")
    .map((line) => (line.startsWith(`"${member}":`) ? put : line))
    .join("\n");

describe("stored service maps as text (R4)", () => {
  test("come back as they were, as one JSON document of one member a line", () => {
    expect(parseStored(storedText(FULL))).toEqual({ stored: FULL });
    expect(JSON.parse(storedText(FULL))).toMatchObject({ v: 1, accepted: FULL.accepted });
    const small: StoredServiceMaps = { previous: [], savedAtMs: 5 };
    expect(parseStored(storedText(small))).toEqual({ stored: small });
  });

  test.each(["accepted", "held", "previous", "sum", "v"])(
    "without a readable %s the floor stays where it can",
    (member) => {
      const { stored, damage } = parseStored(without(member, `"${member}":{"body`));
      expect(damage).toContain("is damaged (the JSON");
      expect(stored?.floor).toEqual(member === "sum" ? undefined : FULL.floor);
    },
  );

  test("without a readable head the maps stay", () => {
    const { stored, damage } = parseStored(without("head"));
    expect(stored).toEqual({ accepted: FULL.accepted, held: FULL.held, previous: FULL.previous, savedAtMs: 0 });
    expect(damage).toContain("head");
  });

  test.each([
    ["accepted of another shape", "accepted", '"accepted":{"body":1,"receivedAtMs":2},'],
    ["accepted that is text", "accepted", '"accepted":"map",'],
    ["accepted with a bad etag", "accepted", '"accepted":{"body":"","receivedAtMs":2,"etag":3},'],
    ["accepted without a time", "accepted", '"accepted":{"body":""},'],
    ["previous that is no list", "previous", '"previous":{}'],
    ["previous with something else in it", "previous", '"previous":[7]'],
    ["head of another shape", "head", '"head":{"savedAtMs":"now"},'],
    ["another version", "v", '"v":2,'],
  ])("%s is named as damage", (_, member, put) => {
    const { stored, damage } = parseStored(without(member, put));
    expect(damage).toContain(member);
    expect(stored).toBeDefined();
  });

  test.each(["", "{", "null", "[]", "\u0000\u0000", "<html>"])("%j is damage and nothing else", (text) => {
    expect(parseStored(text).stored).toBeUndefined();
    expect(parseStored(text).damage).toContain("is damaged");
  });

  test("cut at any character: never a lower floor, never a map that was not there", () => {
    const text = storedText(FULL);
    for (let length = 0; length < text.length; length++) expectNothingForeign(text.slice(0, length));
  });

  test("with any single bit flipped: never another floor, never a map that was not there", { timeout: 120_000 }, () => {
    const bytes = Buffer.from(storedText(FULL));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expectNothingForeign(flipped.toString("utf8"));
    }
  });

  const bodies = new Set([FULL.accepted, FULL.held, ...FULL.previous].map((stored) => stored?.body));

  function expectNothingForeign(text: string): void {
    const { stored } = parseStored(text);
    if (stored?.floor !== undefined && JSON.stringify(stored.floor) !== JSON.stringify(FULL.floor))
      throw new Error(`another floor: ${JSON.stringify(stored.floor)}`);
    const maps = [stored?.accepted, stored?.held, ...(stored?.previous ?? [])].filter((map) => map !== undefined);
    const foreign = maps.filter((map) => !bodies.has(map.body) && verified(map) !== undefined);
    if (foreign.length > 0) throw new Error(`a map that was not there: ${JSON.stringify(foreign)}`);
  }
});
