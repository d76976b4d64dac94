import { defineConfig, type ViteUserConfig } from "vitest/config";

/** The vitest configuration that every package of the workspace shares. `name` is the package's own name. */
export function packageConfig(name: string): ViteUserConfig {
  return defineConfig({
    test: {
      name,
      include: ["src/**/*.test.ts"],
      environment: "node",
      coverage: {
        provider: "v8",
        include: ["src/**/*.ts"],
        exclude: ["src/**/__tests__/**"],
        reporter: ["text-summary", "html", "json", "lcov"],
        reportsDirectory: "coverage",
        thresholds: { lines: 90, branches: 90 },
      },
    },
  });
}
