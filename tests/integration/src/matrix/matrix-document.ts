import { REASONS, type Reason } from "./reasons.js";

/** What was seen of one operation. */
export interface Seen {
  readonly works: boolean;
  readonly reason: Reason | undefined;
}

/** What one table is of. */
export interface Table {
  readonly title: string;
  readonly about: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly title: string; readonly cells: readonly (Seen | undefined)[] }[];
  /** Whether it is of one connector in front of all clients: then it has a line in the summary. */
  readonly isConnector?: boolean;
}

const INTRODUCTION = `# Which client works with which connector

Every cell is a test that runs with every change: a client of that revision and transport, in front of the gateway, in front of a server of that kind.
This file is written by those tests (\`pnpm compatibility\`), and they fail when it does not say what they saw.

- **yes**: it works, seen by what happened at both ends. A number beside it says what is different.
- **no**: the specification does not have it between these two, and the gateway refuses it in the way of the note of that number.

Clients of 2025-11-25 are the v1 SDK's, those of 2026-07-28 the v2 SDK's; no SDK of today begins with an older revision, so the older ones are clients of the
tests' own that speak their revision as it was published. Clients over stdio start \`cortex-mcp stdio\`. HTTP+SSE has to be switched on (\`legacySse\`).
`;

/** The whole document. */
export function documentOf(tables: readonly Table[]): string {
  const notes: Reason[] = [];
  const written = tables.map((table) => tableOf(table, notes));
  const list = notes.map((reason, at) => `${at + 1}. ${REASONS[reason]}`);
  const connectors = tables.filter(({ isConnector }) => isConnector);
  const parts = [INTRODUCTION, summaryOf(connectors), ...written, "## Notes", list.join("\n")];
  return `${parts.join("\n\n")}\n`.replaceAll(/\n{3,}/g, "\n\n");
}

function summaryOf(connectors: readonly Table[]): string {
  const columns = connectors[0]?.columns ?? [];
  const rows = connectors.map(({ title, rows: operations }) => {
    const cells = columns.map((_client, column) => {
      const seen = operations.map(({ cells: row }) => row[column]);
      const working = seen.filter((each) => each?.works === true).length;
      return working === seen.length ? "all" : `${working} of ${seen.length}`;
    });
    return [title, ...cells];
  });
  const about = "How many of the operations below work; the rest is refused, with the reason.";
  return `## In short\n\n${about}\n\n${markdown(["connector ╲ client", ...columns], rows)}`;
}

function tableOf({ title, about, columns, rows }: Table, notes: Reason[]): string {
  const body = rows.map(({ title: operation, cells }) => [operation, ...cells.map((seen) => cellOf(seen, notes))]);
  return `## ${title}\n\n${about}\n\n${markdown(["", ...columns], body)}`;
}

function cellOf(seen: Seen | undefined, notes: Reason[]): string {
  if (seen === undefined) return "FAILED";
  const word = seen.works ? "yes" : "no";
  if (seen.reason === undefined) return word;
  if (!notes.includes(seen.reason)) notes.push(seen.reason);
  return `${word} <sup>${notes.indexOf(seen.reason) + 1}</sup>`;
}

const markdown = (heading: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heading, heading.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
