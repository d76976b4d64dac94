import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { rowOf } from "../coverage-summary.mjs";

function reports() {
  const base = mkdtempSync(path.join(tmpdir(), "cortex-summary-"));
  onTestFinished(() => rmSync(base, { recursive: true }));
  for (const folder of ["coverage", "reports"]) mkdirSync(path.join(base, "packages/a", folder), { recursive: true });
  const total = { lines: { pct: 98.5 }, branches: { pct: 91 } };
  writeFileSync(path.join(base, "packages/a/coverage/coverage-summary.json"), JSON.stringify({ total }));
  const skipped = '<testcase name="later"><skipped/></testcase>';
  const xml = `<testsuites tests="3" failures="0" errors="0">${skipped}</testsuites>`;
  writeFileSync(path.join(base, "packages/a/reports/junit.xml"), xml);
  return base;
}

test("R21: a package's row has its tests, without those that were skipped, and its coverage", () => {
  expect(rowOf("packages/a", reports())).toEqual(["| `packages/a` | 2 | 98.5 % | 91 % |"]);
});

test("R21: a package that was not measured has no row", () => {
  expect(rowOf("packages/b", reports())).toEqual([]);
});
