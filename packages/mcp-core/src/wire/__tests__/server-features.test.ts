import { expect, test } from "vitest";
import { changedFeature, LIST_CHANGES, LIST_KINDS, LISTS, SERVER_FEATURES } from "../server-features.js";

test("every feature has a list, a notification of its own and a filter (R22)", () => {
  expect(new Set(LIST_KINDS.map((kind) => LISTS[kind].feature))).toEqual(new Set(SERVER_FEATURES));
  const words = SERVER_FEATURES.map((feature) => LIST_CHANGES[feature]);
  expect(new Set(words.map(({ notification }) => notification)).size).toBe(SERVER_FEATURES.length);
  expect(new Set(words.map(({ filter }) => filter)).size).toBe(SERVER_FEATURES.length);
});

test.each(SERVER_FEATURES)("a notification tells that the %s changed, and nothing else does", (feature) => {
  expect(changedFeature(`notifications/${feature}/list_changed`)).toBe(feature);
  expect(changedFeature(`notifications/${feature}/updated`)).toBeUndefined();
});
