import fc from "fast-check";
import { Histogram, Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { DurationHistogram } from "../duration-histogram.js";
import { OutcomeTally } from "../outcome-tally.js";

const OF = { name: "took_seconds", help: "How long", buckets: [0.001, 0.01, 1] };

const ours = (registry = new Registry()) => ({
  registry,
  histogram: new DurationHistogram({ ...OF, labelNames: ["connector"], registry }),
});

describe("a histogram of durations (R15, R18)", () => {
  test("shows word for word what prom-client's own shows of the same observations", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 1 }), async (observed) => {
        const { registry, histogram } = ours();
        const series = histogram.begin({ connector: "a" });
        const theirs = new Registry();
        const plain = new Histogram({ ...OF, labelNames: ["connector"], registers: [theirs] });
        for (const seconds of observed) {
          series.observe(seconds);
          plain.observe({ connector: "a" }, seconds);
        }
        expect(await registry.metrics()).toBe(await theirs.metrics());
        expect((await histogram.get()).values.length).toBe((await plain.get()).values.length);
      }),
      { numRuns: 50 },
    );
  });

  test("a bound belongs to its bucket", async () => {
    const { registry, histogram } = ours();
    histogram.begin({ connector: "a" }).observe(0.01);
    expect(await registry.metrics()).toContain('took_seconds_bucket{le="0.01",connector="a"} 1');
    expect(await registry.metrics()).toContain('took_seconds_bucket{le="0.001",connector="a"} 0');
  });

  test("a series that ended is not shown any more", async () => {
    const { registry, histogram } = ours();
    const series = histogram.begin({ connector: "a" });
    histogram.begin({ connector: "b" }).observe(1);
    histogram.end(series);
    const text = await registry.metrics();
    expect(text).not.toContain('connector="a"');
    expect(text).toContain('took_seconds_count{connector="b"} 1');
  });
});

describe("a tally of outcomes (R15, R18)", () => {
  test("gives each count once", () => {
    const tally = new OutcomeTally();
    const drained = (): unknown[] => {
      const all: unknown[] = [];
      tally.drain((...count) => all.push(count));
      return all;
    };
    tally.count("tools/call", "answered");
    tally.count("tools/call", "answered");
    tally.count("no/such", "failed");
    expect(drained()).toEqual([
      ["tools/call", "answered", 2],
      ["other", "failed", 1],
    ]);
    expect(drained()).toEqual([]);
    tally.count("tools/call", "broken");
    expect(drained()).toEqual([["tools/call", "broken", 1]]);
  });
});
