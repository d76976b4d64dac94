import { describe, expect, test } from "vitest";
import { isLogLevel, isLogWanted, LOG_LEVELS, moreVerbose } from "../log-level.js";

describe("log levels (R22)", () => {
  test("are the eight of RFC 5424 and nothing else", () => {
    expect(LOG_LEVELS.every(isLogLevel)).toBe(true);
    expect([undefined, "warn", "DEBUG", 3, ""].some(isLogLevel)).toBe(false);
  });

  test.each(LOG_LEVELS)("who asks for %s gets it and what is more severe", (threshold) => {
    const wanted = LOG_LEVELS.filter((level) => isLogWanted(level, threshold));
    expect(wanted).toEqual(LOG_LEVELS.slice(LOG_LEVELS.indexOf(threshold)));
  });

  test("a level that nobody knows is not withheld", () => {
    expect(isLogWanted("loud", "emergency")).toBe(true);
    expect(isLogWanted(undefined, "emergency")).toBe(true);
  });

  test.each([
    ["debug", "error", "debug"],
    ["error", "debug", "debug"],
    ["info", "info", "info"],
    [undefined, "error", "error"],
    ["error", undefined, "error"],
    [undefined, undefined, undefined],
  ] as const)("of %s and %s the more verbose one is %s", (a, b, expected) => {
    expect(moreVerbose(a, b)).toBe(expected);
  });
});
