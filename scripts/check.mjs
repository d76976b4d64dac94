// `pnpm check`: everything about the code that is not a behaviour. Every step runs, also after a failure; what a failed
// step printed follows it. The last line counts, for people and for CI.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { formatMessage } from "publint/utils";
import { publint } from "publint";
import { readManifest, root, toolPath } from "./workspace.mjs";

/** @typedef {{ ok: boolean, output: string }} Outcome */

/**
 * @param {string} script
 * @param {readonly string[]} args
 * @returns {Promise<Outcome>}
 */
function runStep(script, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => void (output += text));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/** The folders of the packages that are meant to be published. */
function publishableFolders() {
  return ["apps", "packages"]
    .flatMap((parent) => readdirSync(path.join(root, parent)).map((name) => path.join(root, parent, name)))
    .filter((folder) => readManifest(folder).private !== true);
}

/** @returns {Promise<Outcome>} */
async function lintPackages() {
  const lines = [];
  for (const pkgDir of publishableFolders()) {
    const { messages, pkg } = await publint({ pkgDir, strict: true, pack: false });
    for (const message of messages) lines.push(`${pkg["name"]}: ${formatMessage(message, pkg, { color: false })}`);
  }
  return { ok: lines.length === 0, output: lines.join("\n") };
}

/** @type {readonly (readonly [string, () => Promise<Outcome>])[]} */
const STEPS = [
  ["types", () => runStep(toolPath("typescript", "tsc"), ["-b"])],
  ["lint", () => runStep(toolPath("oxlint"), [])],
  ["format", () => runStep(toolPath("oxfmt"), ["--check"])],
  [
    "layers and habits",
    () => runStep(toolPath("vitest"), ["run", "--root", "tests/integration", "layering", "habits"]),
  ],
  ["unused code", () => runStep(toolPath("knip"), ["--no-progress"])],
  ["bundle", () => runStep("scripts/bundle.mjs", [])],
  ["packages", lintPackages],
  ["changesets", () => runStep(toolPath("@changesets/cli", "changeset"), ["status"])],
];

let failed = 0;
for (const [name, step] of STEPS) {
  const startedAt = performance.now();
  const { ok, output } = await step();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  if (ok) continue;
  failed += 1;
  console.log(output.trimEnd());
}
console.log(`check: ${STEPS.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
