import { expect, test } from "vitest";
import { rowOf, type Comparison } from "../comparison.js";
import { measureColdStartProcess, type ColdStartCell } from "../cold-start-process.js";
import { coldStartReport } from "../cold-start-report.js";
import type { StartTimes } from "../start-times.js";
import { measureWarmStart } from "../warm-start.js";
import { warmStartReport } from "../warm-start-report.js";

/** Every program really starts and really calls, at sizes that say nothing about speed: the figures are looked at for their shape only. */

const done: string[] = [];
const onRound = (round: number, all: number): void => void done.push(`${round}/${all}`);

function expectMeasured(comparisons: readonly Comparison[], rounds: number): void {
  for (const comparison of comparisons) {
    expect(comparison.rounds).toHaveLength(rounds);
    expect(Number.isFinite(rowOf(comparison).ratio)).toBe(true);
    for (const { baseline, optimised } of comparison.rounds) expect(Math.min(baseline, optimised)).toBeGreaterThan(0);
  }
}

test("cold start of the program: over HTTP and stdio, in each width, and beside one that is dead and one that hangs (R18)", async () => {
  const widths = ["1", "adaptive"];
  const transports = ["HTTP", "stdio"] as const;
  const { cells, comparisons } = await measureColdStartProcess(
    { connectors: 2, listDelayMs: 20, transports, widths, rounds: 1 },
    onRound,
  );
  expect(done.splice(0)).toEqual(["1/2", "2/2"]);
  expect(cells.map(({ transport, width, disturbed }) => [transport, width, disturbed])).toEqual(
    transports.flatMap((transport) => [
      [transport, "1", false],
      [transport, "adaptive", false],
      [transport, "adaptive", true],
    ]),
  );
  for (const { rounds } of cells) {
    expect(rounds).toHaveLength(1);
    for (const { answersMs, usableMs, listed } of rounds) {
      expect(usableMs).toHaveLength(2);
      expect(Math.min(...usableMs)).toBeGreaterThan(answersMs);
      expect(listed).toBeGreaterThan(0);
    }
  }
  const ofHttp = comparisons.slice(0, comparisons.length / 2);
  expect(ofHttp.map(({ measure, is }) => [measure, is.baseline, is.optimised])).toEqual([
    ...["from spawning: the first 2 usable", "from spawning: all usable"].map((figure) => [
      `HTTP, 2 connectors of 20 ms, ${figure}`,
      "1 at a time",
      "adaptive",
    ]),
    ...["from the open endpoint: the first 2 usable", "from the open endpoint: all usable"].map((figure) => [
      `HTTP, 2 connectors of 20 ms, ${figure}`,
      "1 at a time",
      "adaptive",
    ]),
    ...[
      "from spawning: the first 2 usable",
      "from spawning: all usable",
      "from the open endpoint: the first 2 usable",
      "from the open endpoint: all usable",
      "from spawning: the first list",
    ].map((figure) => [
      `HTTP, 2 connectors of 20 ms, ${figure}`,
      "adaptive, none but these",
      "adaptive, one dead and one hanging beside them",
    ]),
  ]);
  expectMeasured(comparisons, 1);
}, 180_000);

test("warm start: the program with nothing stored and with the catalog of the run before, beside node itself, for each size (R18)", async () => {
  const options = { connectors: 2, listDelayMs: 20, extraTools: [0, 3], rounds: 1 };
  const { cells, comparisons } = await measureWarmStart(options, onRound);
  expect(done.splice(0)).toEqual(["1/2", "2/2"]);
  const [few = 0, more = 0] = cells.map(({ tools }) => tools);
  expect(more).toBe(few + 2 * 3);
  expect(comparisons.map(({ measure, is }) => [measure, is.baseline, is.optimised])).toEqual(
    [few, more].flatMap((tools) => {
      const measure = `2 connectors of 20 ms, from spawning to the complete list of ${tools} tools`;
      return [
        [measure, "with nothing stored", "with the stored catalog"],
        [measure, "node -e 0", "with the stored catalog"],
      ];
    }),
  );
  expectMeasured(comparisons, 1);
}, 180_000);

test("the table of cold starts tells how much less each took than the first, round against round (R18)", () => {
  const times = (answersMs: number, each: readonly number[], listMs: number, listed: number): StartTimes => ({
    ...{ answersMs, usableMs: each, listMs, listed },
  });
  const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const cells: ColdStartCell[] = [
    {
      ...{ transport: "HTTP", width: "1", disturbed: false },
      rounds: [
        times(
          100,
          nine.map((at) => at * 1_000),
          3_000,
          3,
        ),
        times(
          300,
          nine.map((at) => at * 2_000),
          3_200,
          4,
        ),
      ],
    },
    {
      ...{ transport: "HTTP", width: "4", disturbed: true },
      rounds: [
        times(
          110,
          nine.map((at) => at * 100),
          950,
          9,
        ),
        times(
          120,
          nine.map((at) => at * 400),
          990,
          8,
        ),
      ],
    },
  ];
  expect(coldStartReport(cells).split("\n").slice(2)).toEqual([
    "| HTTP | 1 at a time | 300 | 16000 |  | 18000 |  | 3200 | 3 |",
    "| HTTP | 4 at a time; one more is dead, one hangs | 120 | 3200 | 90.0 % | 3600 | 90.0 % | 990 | 8 |",
    "",
  ]);
});

test("the table of warm starts tells what comes on top of Node's own start (R18)", () => {
  const rounds = [
    { coldMs: 1_000, nodeMs: 50, warmMs: 150 },
    { coldMs: 2_000, nodeMs: 150, warmMs: 500 },
    { coldMs: 1_000, nodeMs: 60, warmMs: 200 },
  ];
  expect(
    warmStartReport([{ tools: 140, rounds }])
      .split("\n")
      .slice(2),
  ).toEqual(["| 140 | 60 | 200 | 140 | 1000 | 80.0 % |", ""]);
});
