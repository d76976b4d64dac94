import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import type { Comparison } from "../comparison.js";
import { parseResults } from "../published-results.js";
import { withTemporaryFolder } from "../temporary-folder.js";
import { writeDocs } from "../write-docs.js";
import { missingIn, writeResults, type Results } from "../write-results.js";

const figure = (benchmark: string, measure: string, baseline: number, optimised: number): Comparison => ({
  ...{ benchmark, measure, unit: "ms", is: { baseline: "before", optimised: "after" } },
  rounds: [{ baseline, optimised }],
});

const RESULTS: Results = {
  "cold-start": {
    comparisons: [figure("cold start", "10 connectors of 500 ms, four at a time (the default)", 5_000, 1_500)],
  },
  road: {
    comparisons: [figure("steady state", "tool calls, 16 at once, p95", 4, 14)],
    text: "at 16: a sentence",
    details: { anything: 1 },
  },
  registry: { comparisons: [figure("registry", "flush of 1000 servers, p95", 7, 51)] },
};

const block = (name: string, text = ""): string => `before\n<!-- bench:${name} -->${text}\n<!-- /bench -->\nafter\n`;

test("each place in the documents gets the results it asks for, again and again, and nothing else is touched (R18)", async () => {
  await withTemporaryFolder(async (folder) => {
    const docs = path.join(folder, "docs");
    const out = path.join(docs, "performance");
    await mkdir(docs);
    await writeResults(out, RESULTS, { quick: true });
    await writeFile(
      path.join(docs, "all.md"),
      ["machine", "plan", "road", "road:figures", "registry"].map((name) => block(name)).join("\n"),
    );
    await writeFile(path.join(docs, "none.md"), "no place\n");
    expect(await writeDocs(docs, out)).toEqual([path.join(docs, "all.md")]);
    const written = await readFile(path.join(docs, "all.md"), "utf8");
    expect(written).toContain("Measured in the quick form, which is for a look only, finished on ");
    expect(written).toContain("| 5000 ms: before | 1500 ms: after | 70 % | yes |");
    expect(written).toContain("| ≤ 250 ms | 4.000 ms: before | 14.00 ms: after | – | yes |");
    expect(written).toContain("| < 50 ms | 7.000 ms: before | 51.00 ms: after | – | no |");
    expect(written).toContain("<!-- bench:road -->\n\nat 16: a sentence\n\n<!-- /bench -->");
    expect(written).toContain("| tool calls, 16 at once, p95 | 4.000 ms: before | 14.00 ms: after | 3.50 |");
    expect(written).toContain("| flush of 1000 servers, p95 | 7.000 ms: before | 51.00 ms: after | 7.29 |");
    expect(written.match(/^before$|^after$/gm)).toHaveLength(10);
    expect(await writeDocs(docs, out)).toEqual([]);
    expect(await readFile(path.join(docs, "none.md"), "utf8")).toBe("no place\n");
  });
});

test("a document that tells of what was not measured is refused, and none is written (R18)", async () => {
  await withTemporaryFolder(async (folder) => {
    await writeResults(folder, { road: RESULTS["road"] ?? { comparisons: [] } }, { quick: false });
    await writeFile(path.join(folder, "a.md"), block("road"));
    const asks = async (name: string): Promise<unknown> => {
      await writeFile(path.join(folder, "b.md"), block(name));
      return writeDocs(folder, folder);
    };
    await expect(asks("registry")).rejects.toThrow('a document tells of "registry", which was not measured');
    await expect(asks("plan")).rejects.toThrow("not measured: cold start of ten connectors");
    expect(await readFile(path.join(folder, "a.md"), "utf8")).toBe(block("road"));
  });
});

test.each(["[]", "{}", '{"finishedAt":"now","machine":{},"settings":{},"comparisons":[],"suites":{}}'])(
  "what is no result of a benchmark is none: %s",
  (text) => {
    expect(() => parseResults(text)).toThrow("these are no results of a benchmark");
  },
);

test("a suite that found nothing, and a ratio that is no number, are missing (R18)", () => {
  expect(missingIn(RESULTS)).toEqual([]);
  const { road } = RESULTS;
  expect(
    missingIn({ ...(road && { road }), empty: { comparisons: [] }, told: { comparisons: [], details: { some: 1 } } }),
  ).toEqual(["empty"]);
  expect(missingIn({ odd: { comparisons: [figure("odd", "nothing over nothing", 0, 0)] } })).toEqual([
    "odd: nothing over nothing",
  ]);
});
