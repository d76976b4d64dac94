import { defineConfig } from "vitest/config";

export default defineConfig({ test: { name: "scripts", include: ["__tests__/**/*.test.mjs"], environment: "node" } });
