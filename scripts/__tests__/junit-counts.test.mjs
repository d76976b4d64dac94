import { expect, test } from "vitest";
import { junitCounts } from "../junit-counts.mjs";

test("counts what passed and what failed, and neither what was skipped", () => {
  const xml = `<?xml version="1.0"?>
    <testsuites name="vitest tests" tests="5" failures="1" errors="1" time="0.1">
      <testsuite tests="5" failures="1" errors="1" skipped="1"><testcase name="later"><skipped/></testcase></testsuite>
    </testsuites>`;
  expect(junitCounts(xml)).toEqual({ passed: 2, failed: 2 });
});

test("does not take an empty file for a report without failures", () => {
  expect(junitCounts("")).toBeUndefined();
});
