import { expect, test } from "vitest";
import { junitCounts } from "../junit-counts.mjs";
import { mergeJunit } from "../merge-junit.mjs";

/**
 * @param {string} counts
 * @param {string} suites
 */
const report = (counts, suites) =>
  `<?xml version="1.0" encoding="UTF-8" ?>\n<testsuites name="vitest tests" ${counts}>\n${suites}\n</testsuites>\n`;

test("sums what several reports count, and keeps every suite", () => {
  const first = report('tests="5" failures="1" errors="1" time="0.5"', '  <testsuite name="a"><skipped/></testsuite>');
  const second = report('tests="12" failures="0" errors="0" time="1.25"', '  <testsuite name="b"></testsuite>');
  const merged = mergeJunit([first, second]);
  expect(merged).toBe(
    report(
      'tests="17" failures="1" errors="1" time="1.75"',
      '  <testsuite name="a"><skipped/></testsuite>\n  <testsuite name="b"></testsuite>',
    ),
  );
  expect(junitCounts(merged)).toEqual({ passed: 14, failed: 2 });
});

test("keeps a report without a suite as nothing", () => {
  expect(junitCounts(mergeJunit([report('tests="0" failures="0" errors="0" time="0"', "")]))).toEqual({
    passed: 0,
    failed: 0,
  });
});

test.each(["", "<testsuites", "<testsuites></testsuites>"])("refuses %j, which is no report", (xml) => {
  expect(() => mergeJunit([report('tests="1" failures="0" errors="0" time="0"', ""), xml])).toThrow("no JUnit report");
});
