import { Histogram, register, Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import { createConnectorSyncHistogram, globalSyncHistogram, observeConnectorSync } from "../sync-histogram.js";

beforeEach(() => {
  register.clear();
});

describe("R15: mcp_connector_sync_duration_seconds", () => {
  test("counts in any registry, and leaves the global one alone", async () => {
    const registry = new Registry();
    const histogram = createConnectorSyncHistogram(registry);
    observeConnectorSync(0.02, true, histogram);
    observeConnectorSync(3, false, histogram);
    const text = await registry.metrics();
    expect(text).toContain('mcp_connector_sync_duration_seconds_bucket{le="0.025",result="ok"} 1');
    expect(text).toContain('mcp_connector_sync_duration_seconds_sum{result="failed"} 3');
    expect(await register.metrics()).not.toContain("mcp_connector");
  });

  test("is made in the global register on first use, once, and again after that was cleared", async () => {
    observeConnectorSync(1, true);
    observeConnectorSync(1, true);
    expect(await register.metrics()).toContain('mcp_connector_sync_duration_seconds_count{result="ok"} 2');
    expect(globalSyncHistogram()).toBe(globalSyncHistogram());
    register.clear();
    observeConnectorSync(1, false);
    expect(await register.metrics()).toContain('mcp_connector_sync_duration_seconds_count{result="failed"} 1');
  });

  test("a histogram that the program already has under that name is used", async () => {
    const own = new Histogram({ name: "mcp_connector_sync_duration_seconds", help: "own", labelNames: ["result"] });
    observeConnectorSync(1, true);
    expect((await own.get()).values.length).toBeGreaterThan(0);
  });
});
