import type { Score } from "./checks.js";
import type { ClientRun } from "./client/client-runs.js";
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
  return markdown([
    HEADINGS,
    ["---", "---", "---:", "---:", "---:"],
    ...rows.map(({ run, scores }) => [
      VERSIONS[run.suite],
      run.revision,
      shown(scores.direct),
      shown(scores.http),
      shown(scores.stdio),
    ]),
  ]);
}

/** The table of client mode: how many checks pass at least, and that none fails. */
export function clientTable(runs: readonly ClientRun[]): string {
  return markdown([
    ["suite", "revision", "with the gateway between"],
    ["---", "---", "---:"],
    ...runs.map(({ suite, revision, ceiling }) => [VERSIONS[suite], revision, `${ceiling} / 0`]),
  ]);
}

const markdown = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");

function shown({ passed, failed, warnings }: Score): string {
  const score = `${passed} / ${failed}`;
  if (warnings === 0) return score;
  return `${score}, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
}
