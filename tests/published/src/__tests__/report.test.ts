import { expect, test } from "vitest";
import type { ClientView } from "../check-client.js";
import { problemsOf, renderReport, type ServerRow } from "../report.js";

const row = (name: string, upstream: string, legacy: Partial<ClientView>, modern: Partial<ClientView>): ServerRow => ({
  server: {
    name,
    package: `@shop/${name}`,
    version: "1.2.3",
    entry: "index.js",
    tools: 2,
    call: { tool: "brew", arguments: {}, expected: { text: "done" } },
  },
  upstream,
  legacy: { tools: 2, callMs: 12.4, ...legacy },
  modern: { tools: 2, callMs: 3.6, ...modern },
});

test("the report is a table, what failed, and the counts", () => {
  const rows = [
    row("tea", "legacy", {}, {}),
    row("mate", "modern", { callProblem: "too hot" }, {}),
    row("gone", "down: no | such file", { tools: 0, listProblem: "not there" }, { tools: 0, callProblem: "down" }),
  ];
  expect(renderReport(rows)).toBe(
    [
      "| server | version | upstream | tools | legacy list | legacy call | modern list | modern call | call, ms |",
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
      "| @shop/tea | 1.2.3 | legacy | 2 | ok | ok | ok | ok | 12 / 4 |",
      "| @shop/mate | 1.2.3 | modern | 2 | ok | FAIL | ok | ok | 12 / 4 |",
      String.raw`| @shop/gone | 1.2.3 | down: no \| such file | 0 | FAIL | ok | ok | FAIL | 12 / 4 |`,
      "",
      "- mate, legacy call: too hot",
      "- gone, legacy list: not there",
      "- gone, modern call: down",
      "",
      "3 published servers (1 down: no | such file, 1 legacy, 1 modern), 4 tools: 9 of 12 cells ok.",
    ].join("\n"),
  );
});

test("a report without problems has no list of them", () => {
  const rows = [row("tea", "legacy", {}, {})];
  expect(problemsOf(rows)).toEqual([]);
  expect(renderReport(rows).split("\n").slice(3)).toEqual([
    "",
    "1 published servers (1 legacy), 2 tools: 4 of 4 cells ok.",
  ]);
});
