// Runs the vitest project of the current folder. `pnpm test -- NAME` filters: vitest by itself ignores what stands after `--`.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
const vitest = path.join(path.dirname(require.resolve("vitest/package.json")), "vitest.mjs");
const args = process.argv.slice(2).filter((arg) => arg !== "--");
const coverage = args.includes("--coverage") ? ["--coverage"] : [];
const build = spawnSync(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-b"], { stdio: "inherit" });
if (build.status !== 0) process.exit(build.status ?? 1);
const run = spawnSync(process.execPath, [vitest, "run", "--passWithNoTests", ...coverage, ...args.filter((arg) => arg !== "--coverage")], { stdio: "inherit" });
process.exit(run.status ?? 1);
