import { describe, expect, test } from "vitest";
import { againstFloor, floorOf } from "../map-floor.js";
import { verifiedMap } from "./signed-maps.js";

const at = (
  generatedAt: string,
  id = "01JZ0000000000000000000001",
  brand = "example",
): ReturnType<typeof verifiedMap> => verifiedMap({ generatedAt, id, brand }, { allowExpired: true, allowFuture: true });

describe("R2: no map is older than one that was accepted", () => {
  const accepted = at("2026-01-01T00:00:00Z");
  const floor = floorOf(accepted);

  test("the floor is who, when and what", () => {
    expect(floor).toEqual({
      id: "01JZ0000000000000000000001",
      generatedAtMs: Date.parse("2026-01-01T00:00:00Z"),
      digest: accepted.digest,
    });
    expect(floorOf({ ...accepted, kid: "a" }).kid).toBe("a");
  });

  test("without a floor every map is newer", () => {
    expect(againstFloor(accepted, undefined)).toBe("newer");
  });

  test.each([
    { name: "the same", map: accepted, verdict: "same" },
    { name: "a later time", map: at("2026-01-01T00:00:00.001Z"), verdict: "newer" },
    {
      name: "a later time with a smaller id",
      map: at("2026-01-01T00:00:01Z", "01JZ0000000000000000000000"),
      verdict: "newer",
    },
    { name: "one time, a greater id", map: at("2026-01-01T00:00:00Z", "01JZ0000000000000000000002"), verdict: "newer" },
    {
      name: "one time written otherwise, a greater id",
      map: at("2026-01-01T01:00:00+01:00", "01jz0000000000000000000002"),
      verdict: "newer",
    },
  ])("$name: $verdict", ({ map, verdict }) => {
    expect(againstFloor(map, floor)).toBe(verdict);
  });

  test.each([
    { name: "an earlier time", map: at("2025-12-31T23:59:59.999Z") },
    { name: "an earlier time with a greater id", map: at("2025-12-31T00:00:00Z", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ") },
    { name: "one time, a smaller id", map: at("2026-01-01T00:00:00Z", "01JZ0000000000000000000000") },
    { name: "an earlier time that looks later", map: at("2026-01-01T00:30:00+01:00") },
  ])("$name: older", ({ map }) => {
    expect(againstFloor(map, floor)).toMatchObject({
      rule: "older",
      reason: expect.stringContaining("older than the one of"),
    });
  });

  test("says of when both are", () => {
    expect(againstFloor(at("2025-12-31T00:00:00Z"), floor)).toEqual({
      rule: "older",
      reason:
        "is of 2025-12-31T00:00:00.000Z, older than the one of 2026-01-01T00:00:00.000Z that was accepted already",
    });
  });

  test("one id and time with two contents is a conflict, also when only the letters of the id differ", () => {
    const reason =
      "has the id and time (2026-01-01T00:00:00.000Z) of one that was accepted already, with another content";
    expect(againstFloor(at("2026-01-01T00:00:00Z", floor.id, "evil"), floor)).toEqual({ rule: "conflict", reason });
    expect(againstFloor(at("2026-01-01T00:00:00Z", floor.id.toLowerCase()), floor)).toEqual({
      rule: "conflict",
      reason,
    });
  });

  test("of any two maps that differ, one can never follow the other", () => {
    const times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-02T00:00:00Z"];
    const ids = ["01JZ0000000000000000000000", "01JZ0000000000000000000001", "01JZ0000000000000000000002"];
    const maps = times.flatMap((time) => ids.map((id) => at(time, id)));
    for (const [older, first] of maps.entries()) {
      for (const [newer, second] of maps.entries()) {
        const expected = older === newer ? "same" : older < newer ? "newer" : { rule: "older" };
        const verdict = againstFloor(second, floorOf(first));
        if (typeof expected === "string") expect(verdict).toBe(expected);
        else expect(verdict).toMatchObject(expected);
      }
    }
  });
});
