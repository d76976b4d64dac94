import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** What a package may say about its own tests. */
export interface PackageTests {
  /**
   * Least share of covered lines and branches, in percent (R19). A package that is itself a test or a measuring program
   * says 0. @default 90
   */
  readonly coveragePercent?: number;
}

/** JUnit XML for machines beside the usual output for people. The path is relative to the folder vitest runs in. */
export const reporters = ["default", ["junit", { outputFile: "reports/junit.xml" }]] satisfies NonNullable<
  ViteUserConfig["test"]
>["reporters"];

/**
 * The vitest configuration that every package of the workspace shares.
 *
 * Entry points (`main.ts`, `*-main.ts`) run only as processes of their own, where coverage does not reach; a habit test
 * keeps them so short that nothing hides in them.
 */
export function packageConfig(name: string, { coveragePercent = 90 }: PackageTests = {}): ViteUserConfig {
  return defineConfig({
    test: {
      name,
      include: ["src/**/*.test.ts"],
      environment: "node",
      restoreMocks: true,
      unstubEnvs: true,
      unstubGlobals: true,
      // Two busy cores must not fail a test: no test measures time, so a generous bound costs nothing.
      setupFiles: [fileURLToPath(new URL("vitest.setup.ts", import.meta.url))],
      testTimeout: 30_000,
      hookTimeout: 30_000,
      reporters,
      coverage: {
        provider: "v8",
        include: ["src/**/*.ts"],
        exclude: ["src/**/__tests__/**", "src/**/main.ts", "src/**/*-main.ts"],
        reporter: ["text", "html", "json-summary", "lcov"],
        reportsDirectory: "coverage",
        thresholds: { lines: coveragePercent, branches: coveragePercent },
      },
    },
  });
}
