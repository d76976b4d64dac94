import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { fedMetrics } from "./fed-metrics.js";

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../../../docs/${file}`, import.meta.url)), "utf8");

interface Family {
  readonly type: string;
  readonly labels: readonly string[];
}

/** What is exposed, by name. */
async function exposed(): Promise<ReadonlyMap<string, Family>> {
  const blocks = (await fedMetrics().exposition()).trim().split(/\n(?=# HELP )/);
  return new Map(
    blocks.map((block) => {
      const [, name = "", type = ""] = /^# TYPE (\S+) (\w+)$/m.exec(block) ?? [];
      const samples = block.split("\n").filter((line) => !line.startsWith("#"));
      const labels = new Set(samples.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map(([, label = ""]) => label)));
      labels.delete("le");
      return [name, { type, labels: [...labels].toSorted() }];
    }),
  );
}

/** The rows of the tables in docs/metrics.md that are about metrics. */
const documented = (): ReadonlyMap<string, Family> =>
  new Map(
    [...read("metrics.md").matchAll(/^\| `((?:brainwav_|mcp_|process_|nodejs_)\w+)` \| (\w+) \|([^|]*)\|/gm)].map(
      ([, name = "", type = "", labels = ""]) => [
        name,
        { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label).toSorted() },
      ],
    ),
  );

/** Metrics that a query names, without what Prometheus adds to a histogram's name. */
const namesIn = (query: string): readonly string[] =>
  [...query.matchAll(/\b(?:brainwav_mcp|mcp|process|nodejs)_\w+/g)].map(([name]) =>
    name.replace(/(?<=_seconds)_(?:bucket|sum|count)$/, ""),
  );

/** Labels that a query filters or groups by. */
const labelsIn = (query: string): readonly string[] => [
  ...[...query.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = ""]) => label),
  ...[...query.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) =>
    list.split(",").map((label) => label.trim()),
  ),
];

/** What a scrape adds. */
const SCRAPE_LABELS = ["instance", "job", "le"];

function expectKnown(queries: readonly string[], families: ReadonlyMap<string, Family>): void {
  for (const query of queries) {
    const names = namesIn(query);
    expect(
      names.filter((name) => !families.has(name)),
      query,
    ).toEqual([]);
    const known = new Set([...SCRAPE_LABELS, ...names.flatMap((name) => families.get(name)?.labels ?? [])]);
    expect(
      labelsIn(query).filter((label) => !known.has(label)),
      query,
    ).toEqual([]);
  }
}

function stringsUnder(value: unknown, key: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((member) => stringsUnder(member, key));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === key && typeof member === "string" ? [member] : stringsUnder(member, key),
  );
}

/** The text of each rule of alerts.yml. */
const rules = (): readonly string[] =>
  read("monitoring/alerts.yml")
    .split(/(?=- alert: )/)
    .slice(1);

describe("what is written about the metrics (R15, R21)", () => {
  test("docs/metrics.md has every metric with its type and labels, and no other", async () => {
    expect(Object.fromEntries(documented())).toEqual(Object.fromEntries(await exposed()));
  });

  test("the dashboard asks for metrics and labels that there are", async () => {
    const dashboard: unknown = JSON.parse(read("monitoring/grafana-dashboard.json"));
    const queries = [...stringsUnder(dashboard, "expr"), ...stringsUnder(dashboard, "definition")];
    expect(queries.length).toBeGreaterThan(30);
    expectKnown(queries, await exposed());
  });

  test("the dashboard shows every metric of ours", async () => {
    const shown = new Set(
      namesIn(stringsUnder(JSON.parse(read("monitoring/grafana-dashboard.json")), "expr").join(" ")),
    );
    const missing = [...(await exposed()).keys()].filter((name) => !shown.has(name));
    // The first is what its variables are made of, the next says what `entries` says, the others when and not how.
    expect(missing).toEqual([
      "brainwav_mcp_build_info",
      "brainwav_mcp_catalog_tools",
      "brainwav_mcp_catalog_age_seconds",
      "brainwav_mcp_service_map_expires_seconds",
      "brainwav_mcp_service_map_next_refresh_seconds",
    ]);
  });

  test("the alert rules ask for metrics and labels that there are", async () => {
    const queries = rules().map((rule) => /expr:([\s\S]*?)\n {8}(?:for|labels):/.exec(rule)?.[1] ?? "");
    expect(queries.filter((query) => query.trim() === "")).toEqual([]);
    expectKnown(queries, await exposed());
  });

  test("every alert has a section in the runbook, and points to it", () => {
    const sections = [...read("runbook.md").matchAll(/^### (CortexMcp\w+)$/gm)].map(([, name = ""]) => name);
    const alerts = rules().map((rule) => /- alert: (\w+)/.exec(rule)?.[1] ?? "");
    expect(sections.toSorted()).toEqual(alerts.toSorted());
    for (const [index, rule] of rules().entries()) {
      expect(rule).toContain(`runbook: docs/runbook.md#${alerts[index]?.toLowerCase()}`);
    }
  });
});
