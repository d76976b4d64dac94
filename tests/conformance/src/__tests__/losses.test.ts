import { expect, test } from "vitest";
import type { Check } from "../checks.js";
import { lossesOf } from "../losses.js";

const check = (id: string, status: string, message?: string): Check => ({ scenario: "ping", id, status, message });

test("the same checks, in whatever order, are no loss; more that pass are none either", () => {
  const direct = [check("a", "SUCCESS"), check("a", "WARNING", "hm"), check("b", "INFO")];
  expect(lossesOf(direct, direct.toReversed())).toEqual([]);
  expect(lossesOf(direct, [...direct, check("c", "SUCCESS")])).toEqual([]);
});

test.each([
  ["fails", [check("a", "FAILURE", "no answer")], "ping a: SUCCESS directly, FAILURE through the gateway; no answer"],
  ["is missing", [], "ping a: SUCCESS directly, missing through the gateway"],
  ["is information only", [check("a", "INFO")], "ping a: SUCCESS directly, INFO through the gateway"],
])("a check that passes directly and %s through the gateway is lost", (_what, through, line) => {
  expect(lossesOf([check("a", "SUCCESS")], through)).toEqual([line]);
});

test("one of several of the same id that is lost is seen", () => {
  const twice = [check("a", "SUCCESS"), check("a", "SUCCESS")];
  expect(lossesOf(twice, [check("a", "SUCCESS")])).toEqual([
    "ping a: SUCCESS SUCCESS directly, SUCCESS through the gateway",
  ]);
});

test.each(["FAILURE", "WARNING"])("a %s that was not there directly is a loss", (status) => {
  expect(lossesOf([check("a", "SUCCESS")], [check("a", "SUCCESS"), check("b", status, "new")])).toEqual([
    `ping b: missing directly, ${status} through the gateway; new`,
  ]);
});
