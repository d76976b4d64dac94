// Builds what the tests of the current folder need, then runs its vitest project (at the root: all of them).
// `test -- NAME` filters by file name: vitest by itself ignores what stands after `--`, so it is passed on without (R20).
//
// With CORTEX_TEST_COVERAGE=true, as CI sets it, the tests of every package at the root run by themselves and with
// coverage, so that none has to run twice, two packages at a time; then the others, which want the machine for
// themselves, and one report counts them all.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inLanes } from "./in-lanes.mjs";
import { mergeJunit } from "./merge-junit.mjs";
import { runLabelled } from "./run-labelled.mjs";
import { coveredFolders, testFilesIn } from "./test-projects.mjs";
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

/** vitest leaves one of two cores idle. More packages at a time would only wait for each other. */
const PACKAGES_AT_A_TIME = 2;

/**
 * The tests of one package with its coverage, each line of what they say beginning with the package's name.
 *
 * @param {string} folder
 */
async function testPackage(folder) {
  const name = path.relative(root, folder);
  const startedAt = performance.now();
  const exitCode = await runLabelled(`${name} |`, toolPath("vitest"), ["run", "--coverage"], { cwd: folder });
  return { name, exitCode, seconds: (performance.now() - startedAt) / 1_000 };
}

/**
 * Runs every test of the workspace once. Resolves with 1 when a test failed or a package is not covered as it must be.
 */
async function testWithCoverage() {
  const packages = coveredFolders();
  for (const folder of [...packages, root]) rmSync(path.join(folder, REPORT), { force: true });
  // The largest first: otherwise it would run by itself in the end.
  const bySize = packages.toSorted((a, b) => testFilesIn(b) - testFilesIn(a));
  const outcomes = await inLanes(
    bySize.map((folder) => () => testPackage(folder)),
    PACKAGES_AT_A_TIME,
  );
  const startedAt = performance.now();
  const exitCode = await vitest(root, []);
  outcomes.push({ name: "all others", exitCode, seconds: (performance.now() - startedAt) / 1_000 });
  for (const { name, exitCode: code, seconds } of outcomes) {
    console.log(`${code === 0 ? "ok  " : "FAIL"} ${name} (${seconds.toFixed(0)} s)`);
  }
  // A run that broke off left none: it fails, and the others are counted nevertheless.
  const reports = [...packages, root].map((folder) => path.join(folder, REPORT)).filter((report) => existsSync(report));
  const merged = mergeJunit(reports.map((report) => readFileSync(report, "utf8")));
  mkdirSync(path.join(root, path.dirname(REPORT)), { recursive: true });
  writeFileSync(path.join(root, REPORT), merged);
  const isGood = outcomes.every(({ exitCode: code }) => code === 0) && reports.length === outcomes.length;
  return isGood ? 0 : 1;
}

const folder = process.cwd();
const code = (await build(projectsFor(folder))) || (usesApp(folder) ? await bundle() : 0);
if (code !== 0) process.exit(code);
const args = process.argv.slice(2).filter((arg) => arg !== "--");
const isWhole = folder === root && args.length === 0;
const withCoverage = isWhole && process.env["CORTEX_TEST_COVERAGE"] === "true";
process.exit(await (withCoverage ? testWithCoverage() : vitest(folder, args)));
