import { defineConfig } from "vitest/config";
import { COVERED_PARENTS, OBSERVERS } from "./scripts/test-projects.mjs";
import { reporters } from "./vitest.shared.js";

/** Where each package is tested with its coverage, by itself (scripts/test.mjs), the observers remain for this run. */
const isCoveredApart = process.env["CORTEX_TEST_COVERAGE"] === "true";

export default defineConfig({
  test: {
    projects: [...(isCoveredApart ? [] : COVERED_PARENTS.map((parent) => `${parent}/*`)), ...OBSERVERS],
    reporters,
  },
});
