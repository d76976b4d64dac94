import { defineConfig } from "vitest/config";
import { reporters } from "./vitest.shared.js";

export default defineConfig({
  test: {
    projects: ["apps/*", "benchmarks", "examples/*", "packages/*", "scripts", "tests/*"],
    reporters,
  },
});
