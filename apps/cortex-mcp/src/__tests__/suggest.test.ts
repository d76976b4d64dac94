import { describe, expect, test } from "vitest";
import { closest, didYouMean, editDistance } from "../suggest.js";

describe("suggestions", () => {
  test.each([
    ["", "", 0],
    ["port", "port", 0],
    ["prot", "port", 1],
    ["pot", "port", 1],
    ["ports", "port", 1],
    ["kitten", "sitting", 3],
    ["", "abc", 3],
    ["abc", "", 3],
  ])("%j is that many edits from %j", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  test.each([
    ["prot", "port"],
    ["HOST", "host"],
    ["alowedHosts", "allowedHosts"],
    ["x", undefined],
    ["somethingElse", undefined],
  ])("%j is taken for %j", (word, expected) => {
    expect(closest(word, ["host", "port", "allowedHosts"])).toBe(expected);
  });

  test("says nothing when nothing is near", () => {
    expect(didYouMean("prot", ["port"])).toBe('; did you mean "port"?');
    expect(didYouMean("zebra", ["port"])).toBe("");
  });
});
