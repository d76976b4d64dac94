import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { junitCounts } from "../junit-counts.mjs";
import { root } from "../workspace.mjs";

/** A workspace of two packages and one observer, with the real scripts and tools. */
let workspace = "";

beforeEach(() => {
  workspace = mkdtempSync(path.join(tmpdir(), "workspace-"));
  mkdirSync(path.join(workspace, "scripts"));
  for (const name of [
    "test",
    "test-projects",
    "workspace",
    "in-lanes",
    "labelled-lines",
    "run-labelled",
    "merge-junit",
  ])
    cpSync(path.join(root, `scripts/${name}.mjs`), path.join(workspace, `scripts/${name}.mjs`));
  write("scripts/bundle.mjs", "");
  symlinkSync(path.join(root, "node_modules"), path.join(workspace, "node_modules"));
  write("package.json", '{ "type": "module" }');
  write("tsconfig.json", '{ "files": ["nothing.ts"], "compilerOptions": { "noEmit": true, "types": [] } }');
  write("nothing.ts", "export {};\n");
  write("vitest.config.ts", configOf('projects: ["tests/*"]'));
  for (const parent of ["apps", "examples", "packages"]) mkdirSync(path.join(workspace, parent));
  packageOf("packages/good", 'test("adds", () => { expect(one()).toBe(1); });');
  packageOf("tests/whole", 'test("works", () => { expect(one()).toBe(1); });');
});

afterEach(() => {
  rmSync(workspace, { recursive: true, force: true });
});

/**
 * @param {string} file
 * @param {string} text
 */
function write(file, text) {
  mkdirSync(path.dirname(path.join(workspace, file)), { recursive: true });
  writeFileSync(path.join(workspace, file), text);
}

/** @param {string} more */
const configOf = (more) =>
  `export default { test: { ${more}, reporters: ["default", ["junit", { outputFile: "reports/junit.xml" }]],
    coverage: { include: ["src/one.ts"], reporter: [], thresholds: { lines: 90 } } } };`;

/**
 * @param {string} folder
 * @param {string} tests
 */
function packageOf(folder, tests) {
  write(`${folder}/package.json`, `{ "name": "${path.basename(folder)}", "type": "module" }`);
  write(`${folder}/vitest.config.ts`, configOf('include: ["src/*.test.ts"]'));
  write(`${folder}/src/one.ts`, "export const one = () => {\n  return 1;\n};\n");
  write(
    `${folder}/src/one.test.ts`,
    `import { expect, test } from "vitest";\nimport { one } from "./one.js";\n${tests}\n`,
  );
}

/** @returns {Promise<{ code: number, output: string, counts: unknown }>} */
async function run() {
  const env = { ...process.env, CORTEX_TEST_COVERAGE: "true", NO_COLOR: "1" };
  const { code, output } = await new Promise((resolve) => {
    execFile(process.execPath, ["scripts/test.mjs"], { cwd: workspace, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr });
    });
  });
  const report = path.join(workspace, "reports/junit.xml");
  return { code, output, counts: existsSync(report) ? junitCounts(readFileSync(report, "utf8")) : output };
}

test("the tests of every package, and of those that watch them, run once and are counted together (R19)", async () => {
  packageOf("apps/also", 'test("counts", () => { expect(one()).toBe(1); });');
  const { code, output, counts } = await run();
  expect({ code, counts }, output).toEqual({ code: 0, counts: { passed: 3, failed: 0 } });
  for (const name of ["apps/also", "packages/good", "all others"]) expect(output).toMatch(`ok   ${name} (`);
}, 120_000);

test("a test that fails in one of two packages fails the whole, says so under its name, and the others are counted (R19)", async () => {
  packageOf("packages/bad", 'test("adds", () => { expect(one(), "one is not two").toBe(2); });');
  const { code, output, counts } = await run();
  expect({ code, counts }, output).toEqual({ code: 1, counts: { passed: 2, failed: 1 } });
  expect(output).toMatch(/^packages\/bad \|.*one is not two/m);
  expect(output).toMatch(/^FAIL packages\/bad /m);
  expect(output).toMatch(/^ok {3}packages\/good /m);
}, 120_000);

test("a package that is not covered as it must be fails the whole (R19)", async () => {
  packageOf("packages/bare", 'test("looks", () => { expect(typeof one).toBe("function"); });');
  const { code, output, counts } = await run();
  expect({ code, counts }, output).toEqual({ code: 1, counts: { passed: 3, failed: 0 } });
  expect(output).toMatch(/^FAIL packages\/bare /m);
}, 120_000);

test("a run that broke off is missed: what it could not count fails the whole (R19)", async () => {
  packageOf("packages/broken", "");
  write("packages/broken/vitest.config.ts", "process.exit(0);");
  const { code, output, counts } = await run();
  expect({ code, counts }, output).toEqual({ code: 1, counts: { passed: 2, failed: 0 } });
}, 120_000);
