import type { ClientView } from "./check-client.js";
import type { PublishedServer } from "./published-server.js";

/** One server as both clients saw it. */
export interface ServerRow {
  readonly server: PublishedServer;
  /** What the upstream speaks, as the gateway found out; `down` and why when it found nothing. */
  readonly upstream: string;
  readonly legacy: ClientView;
  readonly modern: ClientView;
}

const HEADINGS = [
  "server",
  "version",
  "upstream",
  "tools",
  "legacy list",
  "legacy call",
  "modern list",
  "modern call",
  "call, ms",
];

/** The table, what failed in it, and the counts, as Markdown. */
export function renderReport(rows: readonly ServerRow[]): string {
  const lines = [line(HEADINGS), line(HEADINGS.map(() => "---")), ...rows.map((row) => line(cells(row)))];
  const problems = problemsOf(rows);
  const eras = [...new Set(rows.map(({ upstream }) => upstream))].toSorted();
  const count = (era: string): number => rows.filter(({ upstream }) => upstream === era).length;
  const good = rows.length * 4 - problems.length;
  const sorts = eras.map((era) => `${count(era)} ${era}`).join(", ");
  return [
    ...lines,
    "",
    ...problems.map((problem) => `- ${problem}`),
    ...(problems.length === 0 ? [] : [""]),
    `${rows.length} published servers (${sorts}), ${sum(rows, ({ modern }) => modern.tools)} tools: ${good} of ${rows.length * 4} cells ok.`,
  ].join("\n");
}

/** Everything that did not go as it should, a sentence each. */
export function problemsOf(rows: readonly ServerRow[]): readonly string[] {
  return rows.flatMap(({ server, legacy, modern }) =>
    [
      ["legacy list", legacy.listProblem],
      ["legacy call", legacy.callProblem],
      ["modern list", modern.listProblem],
      ["modern call", modern.callProblem],
    ].flatMap(([what, problem]) => (problem === undefined ? [] : [`${server.name}, ${what}: ${problem}`])),
  );
}

function cells({ server, upstream, legacy, modern }: ServerRow): readonly string[] {
  return [
    server.package,
    server.version,
    upstream,
    String(modern.tools),
    verdict(legacy.listProblem),
    verdict(legacy.callProblem),
    verdict(modern.listProblem),
    verdict(modern.callProblem),
    `${Math.round(legacy.callMs)} / ${Math.round(modern.callMs)}`,
  ];
}

const verdict = (problem: string | undefined): string => (problem === undefined ? "ok" : "FAIL");

const line = (texts: readonly string[]): string =>
  `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
