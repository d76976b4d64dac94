import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { SCENARIOS } from "../scenarios.js";

const read = (name: string): string => readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8");

test("every scenario is one of the suite's, and every one with a short form is among the tests", () => {
  const files = readdirSync(fileURLToPath(new URL("../scenarios", import.meta.url))).map((file) =>
    file.replace(/\.ts$/, ""),
  );
  expect(SCENARIOS.map(({ name }) => name).toSorted()).toEqual(files.toSorted());
  const tested = ["killed", "simulated", "damaged", "refused"].map((name) => read(`${name}.test.ts`)).join("");
  const untested = SCENARIOS.filter(({ name, short }) => short !== undefined && !tested.includes(`/${name}.js"`));
  expect(untested.map(({ name }) => name)).toEqual([]);
});
