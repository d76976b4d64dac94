/**
 * One JUnit report of several as vitest writes them: every suite of each, and the sums. Throws on a text that is no such
 * report, or a run that came to nothing would not be missed.
 *
 * @param {readonly string[]} reports
 */
export function mergeJunit(reports) {
  const sums = { tests: 0, failures: 0, errors: 0, time: 0 };
  const suites = reports.map((xml) => {
    const [, attributes = "", body = ""] = /<testsuites\b([^>]*)>([^]*)<\/testsuites>/.exec(xml) ?? [];
    if (!/\btests="/.test(attributes)) throw new Error(`no JUnit report: ${xml.slice(0, 80)}`);
    for (const [, name = "", value] of attributes.matchAll(/\b(tests|failures|errors|time)="([\d.]+)"/g)) {
      sums[/** @type {keyof typeof sums} */ (name)] += Number(value);
    }
    return body.replace(/^\n/, "").trimEnd();
  });
  const attributes = Object.entries(sums).map(([name, value]) => ` ${name}="${value}"`);
  return `<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="vitest tests"${attributes.join("")}>
${suites.filter((suite) => suite !== "").join("\n")}
</testsuites>
`;
}
