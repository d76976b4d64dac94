import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { complaintsOf, scoreOf, type Check, type Score } from "../checks.js";
import { openBench, type AnyWay, type ConformanceBench, type Way } from "../conformance-bench.js";
import { CONFORMANCE_DOCUMENT, SERVER_SECTION } from "../conformance-document.js";
import { sectionOf } from "../generated-section.js";
import { lossesOf } from "../losses.js";
import { scoreTable } from "../score-table.js";
import { SUITE_RUNS, type SuiteRun } from "../suite-runs.js";

/** Many times what a run takes on two busy cores. */
const RUN_MS = 150_000;

const suiteNode = inject("suiteNode");
const isSkipped = "missing" in suiteNode && process.env["CI"] === undefined;

describe.skipIf(isSkipped)("the official suite's server mode (R23)", () => {
  const measured = new Map<string, Promise<readonly Check[]>>();
  let bench: ConformanceBench | undefined;

  beforeAll(() => {
    if ("missing" in suiteNode) throw new Error(`the suite needs Node 22 or later: ${suiteNode.missing}`);
    bench = openBench(suiteNode.path);
  });
  afterAll(async () => {
    await bench?.close();
  });

  /** Each run once, whichever tests want it. */
  const measure = async (run: SuiteRun, way: AnyWay): Promise<readonly Check[]> => {
    if (bench === undefined) throw new Error("there is no bench");
    const key = `${run.suite} ${run.revision} ${way}`;
    const running = measured.get(key) ?? bench.measure(run, way);
    measured.set(key, running);
    return running;
  };

  describe.each(SUITE_RUNS)("$suite, $revision", (run) => {
    test(
      "the fixture by itself is at the ceiling",
      async () => {
        const checks = await measure(run, "direct");
        expect(complaintsOf(checks).filter((line) => line.includes(": FAILURE: "))).toEqual([]);
        expect(scoreOf(checks).passed).toBe(run.ceiling);
      },
      RUN_MS,
    );

    test.each(["http", "stdio"] as const)(
      "the gateway loses not one check with the %s fixture behind",
      async (way) => {
        expect(lossesOf(await measure(run, "direct"), await measure(run, way))).toEqual([]);
      },
      RUN_MS,
    );
  });

  test.each(SUITE_RUNS.filter(({ revision }) => ["2025-11-25", "2026-07-28"].includes(revision)))(
    "nor does it where prefixes are for collisions only, at /mcp: $suite, $revision",
    async (run) => {
      expect(lossesOf(await measure(run, "direct"), await measure(run, "merged"))).toEqual([]);
    },
    RUN_MS,
  );

  test(
    "docs/conformance.md tells these totals: `pnpm conformance --write` renews it",
    async () => {
      const rows = [];
      for (const run of SUITE_RUNS) {
        const score = async (way: Way): Promise<Score> => scoreOf(await measure(run, way));
        rows.push({
          run,
          scores: { direct: await score("direct"), http: await score("http"), stdio: await score("stdio") },
        });
      }
      const document = await readFile(CONFORMANCE_DOCUMENT, "utf8");
      expect(sectionOf(document, SERVER_SECTION)).toBe(scoreTable(rows));
    },
    RUN_MS * 3,
  );
});
