import { describe, expect, test } from "vitest";
import { MEASURED_METHODS } from "../measured-method.js";
import { createMetrics } from "../metrics.js";
import { fedMetrics, requestOf, statusOf } from "./fed-metrics.js";

/** The only labels there are: each has a closed set of values, or goes with its connector, or is one of a kind. */
const LABELS = new Set(
  "connector outcome method era code reason kind result source state version node key_id".split(" "),
);
/** Gauges that count things or answer a question with 1 or 0 have no unit. */
const UNITLESS =
  /_(?:up|enabled|readable|stale|held|pinned|open|info|connectors|sessions|listeners|tools|entries|fds)$/;

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: ReadonlySet<string>;
}

function familiesOf(text: string): readonly Family[] {
  return text
    .trim()
    .split(/\n(?=# HELP )/)
    .map((block) => {
      const [, name = "", help = ""] = /^# HELP (\S+) ?(.*)$/m.exec(block) ?? [];
      const [, type = ""] = /^# TYPE \S+ (\w+)$/m.exec(block) ?? [];
      const samples = block.split("\n").filter((line) => !line.startsWith("#"));
      const labels = new Set(samples.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map(([, label = ""]) => label)));
      return { name, type, help, labels };
    });
}

const seriesOf = (text: string): readonly string[] => text.split("\n").filter((line) => /^\w/.test(line));

describe("every metric (R15)", () => {
  test("is ours by name, and names its unit where it has one", async () => {
    const wrong = familiesOf(await fedMetrics().exposition()).filter(({ name, type }) => {
      if (!/^(?:brainwav_mcp_|mcp_|process_|nodejs_)[a-z_]+$/.test(name)) return true;
      if (type === "counter") return !name.endsWith("_total");
      if (type === "histogram") return !name.endsWith("_seconds");
      return !/_(?:seconds|bytes)$/.test(name) && !UNITLESS.test(name);
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  test("says what it is in a sentence", async () => {
    const silent = familiesOf(await fedMetrics().exposition()).filter(
      ({ help }) => help.length < 10 || help.endsWith("."),
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  test("has none but the labels we know", async () => {
    const families = familiesOf(await fedMetrics().exposition());
    const labels = new Set(families.flatMap((family) => [...family.labels]));
    labels.delete("le");
    expect([...labels].filter((label) => !LABELS.has(label))).toEqual([]);
  });
});

describe("the number of series (R15)", () => {
  test("grows with the connectors alone, by no more than all methods and outcomes there are", async () => {
    const [one, eleven] = [await fedMetrics(1).exposition(), await fedMetrics(11).exposition()];
    const perConnector = (seriesOf(eleven).length - seriesOf(one).length) / 10;
    const outcomes = 4;
    // Four numbers, a counter for each method and outcome, a histogram of 18 for each outcome.
    expect(perConnector).toBe(4 + MEASURED_METHODS.length * outcomes + outcomes * 18);
    expect(seriesOf(one).length - perConnector).toBeLessThan(300);
  });

  test("stays when clients ask for what does not exist", async () => {
    const metrics = createMetrics();
    metrics.connectors([statusOf("a")]);
    const ask = (method: string): void => {
      metrics.ended(requestOf({ method, connector: "a" }));
    };
    ask("x/0");
    const before = seriesOf(await metrics.exposition()).length;
    for (let index = 1; index < 1_000; index += 1) ask(`x/${index}`);
    const text = await metrics.exposition();
    expect(seriesOf(text)).toHaveLength(before);
    expect(text).toContain('brainwav_mcp_calls_total{connector="a",method="other",outcome="answered"} 1000');
  });

  test("is what it was after connectors came and went", async () => {
    const metrics = createMetrics();
    const before = seriesOf(await metrics.exposition());
    for (let index = 0; index < 100; index += 1) {
      const connector = `c${index}`;
      metrics.connectors([statusOf(connector)]);
      metrics.ended(requestOf({ connector }));
      metrics.listAges(new Map([[connector, 1]]));
    }
    metrics.connectors([]);
    expect(seriesOf(await metrics.exposition()).filter((line) => line.includes("connector="))).toEqual(
      before.filter((line) => line.includes("connector=")),
    );
  });
});
