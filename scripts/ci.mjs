// What CI runs, by `.ci/run`. Needs no dependency of ours: the first step installs them. The last line counts the tests
// and the steps, "N passed, N failed"; the exit code is 0 only if nothing failed.
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { junitCounts } from "./junit-counts.mjs";
import { findNode24 } from "./node-24.mjs";
import { MARK, markedProcesses } from "./process-marks.mjs";
import { root } from "./workspace.mjs";

const mark = `ci-${process.pid}-${Date.now()}`;
// Each package's tests run once: with its coverage (scripts/test.mjs).
const env = { ...process.env, [MARK]: mark, CI: "true", NO_COLOR: "1", CORTEX_TEST_COVERAGE: "true" };
const total = { passed: 0, failed: 0 };

/**
 * Runs a command in a process group of its own, which ends with the time limit. Resolves with whether it exited with 0.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} limitMinutes
 * @returns {Promise<boolean>}
 */
function run(command, args, limitMinutes) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"], detached: true });
    const limit = setTimeout(() => {
      console.log(`== ended: longer than ${limitMinutes} minutes`);
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      killMarked();
    }, limitMinutes * 60_000);
    const end = (/** @type {boolean} */ ok) => {
      clearTimeout(limit);
      resolve(ok);
    };
    child.once("error", (error) => {
      console.log(error.message);
      end(false);
    });
    child.once("close", (code) => end(code === 0));
  });
}

/** Ends every process that this run started, and returns what they were. */
function killMarked() {
  const left = markedProcesses(mark) ?? [];
  for (const { pid } of left) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
  return left.map(({ pid, command }) => `${pid} ${command}`);
}

/**
 * One step of the verdict: what it counts is added to the total. A step that failed without counting a failure counts
 * as one.
 *
 * @param {string} name
 * @param {() => Promise<{ ok: boolean, passed?: number, failed?: number }>} body
 */
async function step(name, body) {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  /** @type {{ ok: boolean, passed?: number, failed?: number }} */
  let outcome = { ok: false };
  try {
    outcome = await body();
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
  }
  const { ok, passed = 0, failed = 0 } = outcome;
  total.passed += passed + (ok ? 1 : 0);
  total.failed += ok ? failed : Math.max(1, failed);
  console.log(`== ${ok ? "ok" : "FAILED"}: ${name} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
  return ok;
}

/**
 * @param {string} name
 * @param {number} limitMinutes
 * @param {readonly string[]} args
 */
const pnpmStep = (name, limitMinutes, args) =>
  step(name, async () => ({ ok: await run("npx", ["-y", "pnpm", ...args], limitMinutes) }));

/**
 * A step whose command leaves a JUnit report: its tests are counted.
 *
 * @param {string} name
 * @param {number} limitMinutes
 * @param {string} report
 * @param {readonly string[]} command
 */
const testStep = (name, limitMinutes, report, [command = "", ...args]) =>
  step(name, async () => {
    const file = path.join(root, report);
    rmSync(file, { force: true });
    const ok = await run(command, args, limitMinutes);
    const counts = junitCounts(readFileSync(file, "utf8"));
    if (counts === undefined) throw new Error(`${report} is no report`);
    return { ok, ...counts };
  });

async function verdict() {
  if (!(await pnpmStep("install", 10, ["install", "--frozen-lockfile"]))) return;
  await pnpmStep("check", 5, ["check"]);
  await testStep("test; coverage of each package: at least 90 % of lines and branches (R19)", 33, "reports/junit.xml", [
    "npx",
    "-y",
    "pnpm",
    "test",
  ]);
  await pnpmStep("coverage of what changed: at least 95 % (R19)", 1, ["coverage:diff"]);

  await step(
    "benchmarks in their short form: every call answered, every ratio there; how fast is no verdict (R18)",
    async () => {
      const file = path.join(root, "reports/benchmark-results.json");
      rmSync(file, { force: true });
      const ok = await run("npx", ["-y", "pnpm", "bench", "--quick"], 8);
      if (ok) console.log(`${JSON.parse(readFileSync(file, "utf8")).comparisons.length} figures in ${file}`);
      return { ok };
    },
  );

  await pnpmStep("metrics, alert rules and dashboard, checked by promtool (R15)", 10, ["check:metrics"]);

  let node24 = "";
  const fetched = await step("fetch Node 24", async () => {
    node24 = findNode24();
    return { ok: await run(node24, ["--version"], 1) };
  });
  if (!fetched) return;
  const main = "apps/cortex-mcp/bundle/main.js";
  await step("Node 24: cortex-mcp --version", async () => ({ ok: await run(node24, [main, "--version"], 1) }));
  await testStep("Node 24: smoke test", 5, "tests/integration/reports/junit.xml", [
    node24,
    "node_modules/vitest/vitest.mjs",
    "run",
    "--root",
    "tests/integration",
    "smoke",
  ]);
}

await verdict();
await step("no process left behind", async () => {
  const left = killMarked();
  for (const line of left) console.log(line);
  return { ok: left.length === 0 };
});
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
