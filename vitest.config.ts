import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: ["apps/*", "benchmarks", "examples/*", "packages/*", "tests/*"],
    passWithNoTests: true,
  },
});
