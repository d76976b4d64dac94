// Builds what the tests of the current folder need, then runs its vitest project (at the root: all of them).
// `test -- NAME` filters by file name: vitest by itself ignores what stands after `--`, so it is passed on without (R20).
//
// With CORTEX_TEST_COVERAGE=true, as CI sets it, the tests of every package at the root run by themselves and with
// coverage, so that none has to run twice; then the others, and one report counts them all.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mergeJunit } from "./merge-junit.mjs";
import { coveredFolders } from "./test-projects.mjs";
import { build, bundle, readManifest, root, runNode, toolPath } from "./workspace.mjs";

const REPORT = "reports/junit.xml";

/**
 * The projects to build before the tests of a folder can run: what `tsconfig.test.json` refers to. Whether the tests
 * themselves have the right types is `pnpm check`'s question.
 *
 * @param {string} folder
 */
function projectsFor(folder) {
  const file = path.join(folder, "tsconfig.test.json");
  if (!existsSync(file)) return [folder];
  /** @type {{ references: { path: string }[] }} */
  const { references } = JSON.parse(readFileSync(file, "utf8"));
  return references.map((reference) => path.join(folder, reference.path));
}

/**
 * Whether the tests of a folder start the app as its users do. The app's own start what the compiler wrote.
 *
 * @param {string} folder
 */
function usesApp(folder) {
  const { dependencies, devDependencies } = readManifest(folder);
  return folder === root || "cortex-mcp" in { ...dependencies, ...devDependencies };
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 */
const vitest = (folder, args) => runNode(toolPath("vitest"), ["run", ...args], { cwd: folder });

/**
 * Runs every test of the workspace once. Resolves with 1 when a test failed or a package is not covered as it must be.
 */
async function testWithCoverage() {
  const reports = [];
  let isGood = true;
  for (const folder of [...coveredFolders(), root]) {
    const report = path.join(folder, REPORT);
    rmSync(report, { force: true });
    if ((await vitest(folder, folder === root ? [] : ["--coverage"])) !== 0) isGood = false;
    // A run that broke off left none: it fails, and the others are counted nevertheless.
    if (existsSync(report)) reports.push(readFileSync(report, "utf8"));
    else isGood = false;
  }
  mkdirSync(path.join(root, path.dirname(REPORT)), { recursive: true });
  writeFileSync(path.join(root, REPORT), mergeJunit(reports));
  return isGood ? 0 : 1;
}

const folder = process.cwd();
const code = (await build(projectsFor(folder))) || (usesApp(folder) ? await bundle() : 0);
if (code !== 0) process.exit(code);
const args = process.argv.slice(2).filter((arg) => arg !== "--");
const isWhole = folder === root && args.length === 0;
const withCoverage = isWhole && process.env["CORTEX_TEST_COVERAGE"] === "true";
process.exit(await (withCoverage ? testWithCoverage() : vitest(folder, args)));
