import { describe, expect, test } from "vitest";
import { pastTime } from "../past-time.js";

const NOW = Date.UTC(2026, 11, 1, 12);
const local = (...fields: [number, number, number, number, number, number?]): number => new Date(...fields).getTime();

describe("R14: a time in the past", () => {
  test.each([
    ["90s", NOW - 90_000],
    ["10m", NOW - 600_000],
    ["2h", NOW - 7_200_000],
    ["3d", NOW - 259_200_000],
    ["999999999d", 0],
    ["2026-11-30T14:05:00Z", Date.UTC(2026, 10, 30, 14, 5)],
    ["2026-11-30t14:05:00.123z", Date.UTC(2026, 10, 30, 14, 5, 0, 123)],
    ["2026-11-30 14:05:00+02:00", Date.UTC(2026, 10, 30, 12, 5)],
    ["2024-02-29T00:00:00-01:30", Date.UTC(2024, 1, 29, 1, 30)],
    ["2026-11-29 14:05", local(2026, 10, 29, 14, 5)],
    ["2026-11-29T14:05:09", local(2026, 10, 29, 14, 5, 9)],
    ["2026-12-01T12:00:00Z", NOW],
  ])("%s", (text, expected) => {
    expect(pastTime(text, NOW)).toBe(expected);
  });

  test.each([
    "",
    "yesterday",
    "10",
    "10 m",
    "-10m",
    "1.5h",
    "2026-11-30",
    "2026-02-29 10:00",
    "2026-02-30T10:00:00Z",
    "2026-11-30 24:30",
    "2026-11-30T25:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-11-30T10:00Z",
    "2026-11-30T10:00:00+99:00",
    "99999-01-01T00:00:00Z",
  ])("%j is refused, with examples", (text) => {
    const refusal = `${JSON.stringify(text)} is no time; write it like 2026-11-30T14:05:00Z, '2026-11-30 14:05' or 10m, 2h, 3d (so long ago)`;
    expect(() => pastTime(text, NOW)).toThrow(expect.objectContaining({ code: "USER_INPUT", message: refusal }));
  });

  test("one that has not come is refused", () => {
    expect(() => pastTime("2026-12-01T12:00:01Z", NOW)).toThrow(
      '"2026-12-01T12:00:01Z" has not come yet: it is 2026-12-01T12:00:00.000Z now',
    );
  });
});
