import type { Score } from "./checks.js";
import type { Way } from "./conformance-bench.js";
import type { SuiteRun } from "./suite-runs.js";

/** What a run came to on each way. */
export interface ScoreRow {
  readonly run: SuiteRun;
  readonly scores: Readonly<Record<Way, Score>>;
}

const HEADINGS = [
  "suite",
  "revision",
  "direct",
  "through the gateway, HTTP behind",
  "through the gateway, stdio behind",
];
/** The versions behind the aliases of this package's dependencies. */
const VERSIONS: Readonly<Record<SuiteRun["suite"], string>> = {
  "conformance-0.1": "0.1.16",
  "conformance-0.2": "0.2.0-alpha.12",
};

/** The table as Markdown: passed / failed, and warnings where there are any. */
export function scoreTable(rows: readonly ScoreRow[]): string {
  return [
    HEADINGS,
    ["---", "---", "---:", "---:", "---:"],
    ...rows.map(({ run, scores }) => [
      VERSIONS[run.suite],
      run.revision,
      shown(scores.direct),
      shown(scores.http),
      shown(scores.stdio),
    ]),
  ]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function shown({ passed, failed, warnings }: Score): string {
  const score = `${passed} / ${failed}`;
  if (warnings === 0) return score;
  return `${score}, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
}
