import { expect, test } from "vitest";
import { Roster } from "../roster.js";

const rosterOf = (...members: string[]): Roster<string> => {
  const roster = new Roster<string>();
  for (const member of members) roster.add(member);
  return roster;
};

test("whoever joined is in it until they leave", () => {
  const roster = rosterOf("a", "b", "c");
  expect(roster.size).toBe(3);
  for (const left of ["a", "c"]) expect(roster.delete(left)).toBe(true);
  expect(roster.all()).toEqual(["b"]);
  expect(roster.delete("b")).toBe(true);
  expect(roster.size).toBe(0);
});

test.each(["a", "b", "c"])("when %s leaves, the others stay", (left) => {
  const roster = rosterOf("a", "b", "c");
  expect(roster.delete(left)).toBe(true);
  expect(roster.all().toSorted()).toEqual(["a", "b", "c"].filter((one) => one !== left));
});

test("nobody leaves twice, or without having been there", () => {
  const roster = rosterOf("a", "b");
  expect(roster.delete("z")).toBe(false);
  expect(roster.delete("a")).toBe(true);
  expect(roster.delete("a")).toBe(false);
  expect(roster.all()).toEqual(["b"]);
});

test("those who leave while everybody is told do not keep others from being told", () => {
  const roster = rosterOf("a", "b", "c", "d");
  const told: string[] = [];
  for (const one of roster.all()) {
    told.push(one);
    roster.delete(one);
  }
  expect(told).toEqual(["a", "b", "c", "d"]);
  expect(roster.size).toBe(0);
});
