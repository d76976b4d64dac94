import { expect, test } from "vitest";
import { isTtl } from "../caching-hints.js";

test.each([0, 1, Number.MAX_SAFE_INTEGER])("%s milliseconds can be a time to live", (value) => {
  expect(isTtl(value)).toBe(true);
});

test.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53, "5", null, undefined, [5], true])("%j cannot", (value) => {
  expect(isTtl(value)).toBe(false);
});
