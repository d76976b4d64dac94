/** @typedef {{ passed: number, failed: number }} Counts */

/**
 * The counts of a JUnit report as vitest writes it. Skipped tests count as neither. `undefined` when the text is no such
 * report, which is what a run that never came to its tests leaves.
 *
 * @param {string} xml
 * @returns {Counts | undefined}
 */
export function junitCounts(xml) {
  const suites = /<testsuites\b[^>]*>/.exec(xml)?.[0];
  if (suites === undefined) return undefined;
  const attribute = (/** @type {string} */ name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suites)?.[1] ?? 0);
  const skipped = [...xml.matchAll(/<skipped\b/g)].length;
  const failed = attribute("failures") + attribute("errors");
  return { passed: attribute("tests") - failed - skipped, failed };
}
