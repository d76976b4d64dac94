import { describe, expect, test } from "vitest";
import { createMetrics } from "../metrics.js";
import { MAP_FETCH_OUTCOMES, type MeasuredServiceMap } from "../service-map-metrics.js";

const FRESH: MeasuredServiceMap = {
  state: "fresh",
  keyId: "2026-a",
  connectors: 7,
  ageSeconds: 12.5,
  expiresAt: "2023-11-14T22:18:20.000Z",
  staleUntil: "2023-11-21T22:13:20.000Z",
  nextRefreshAt: "2023-11-14T22:17:00.000Z",
  circuit: "closed",
};

/** The samples of the service map, without buckets. */
const samples = async ({ exposition }: ReturnType<typeof createMetrics>): Promise<string[]> =>
  (await exposition())
    .split("\n")
    .filter((line) => line.startsWith("brainwav_mcp_service_map_") && !line.includes("_bucket"))
    .map((line) => line.replace("brainwav_mcp_service_map_", ""));

describe("the service map's metrics (R15)", () => {
  test("are not there where no service map is configured", async () => {
    expect(await createMetrics().exposition()).not.toContain("service_map");
  });

  test("when none is followed any more, only what was counted stays", async () => {
    const metrics = createMetrics();
    metrics.serviceMap(undefined);
    expect(await samples(metrics)).toEqual([]);
    metrics.serviceMapFetched("changed", 1);
    metrics.serviceMap(FRESH);
    metrics.serviceMap(undefined);
    const left = (await samples(metrics)).map((line) => line.replace(/[ {].*/, ""));
    expect(new Set(left)).toEqual(
      new Set(["fetches_total", "fetch_duration_seconds_sum", "fetch_duration_seconds_count"]),
    );
  });

  test("their names, types and labels are pinned: dashboards and alerts are built on them", async () => {
    const metrics = createMetrics();
    metrics.serviceMap(FRESH);
    const text = await metrics.exposition();
    expect(text.split("\n").filter((line) => line.startsWith("# TYPE brainwav_mcp_service_map"))).toEqual([
      "# TYPE brainwav_mcp_service_map_age_seconds gauge",
      "# TYPE brainwav_mcp_service_map_expires_seconds gauge",
      "# TYPE brainwav_mcp_service_map_stale_until_seconds gauge",
      "# TYPE brainwav_mcp_service_map_stale gauge",
      "# TYPE brainwav_mcp_service_map_connectors gauge",
      "# TYPE brainwav_mcp_service_map_held gauge",
      "# TYPE brainwav_mcp_service_map_pinned gauge",
      "# TYPE brainwav_mcp_service_map_circuit_open gauge",
      "# TYPE brainwav_mcp_service_map_next_refresh_seconds gauge",
      "# TYPE brainwav_mcp_service_map_info gauge",
      "# TYPE brainwav_mcp_service_map_fetches_total counter",
      "# TYPE brainwav_mcp_service_map_fetch_duration_seconds histogram",
    ]);
    expect(await samples(metrics)).toEqual([
      "age_seconds 12.5",
      "expires_seconds 1700000300",
      "stale_until_seconds 1700604800",
      "stale 0",
      "connectors 7",
      "held 0",
      "pinned 0",
      "circuit_open 0",
      "next_refresh_seconds 1700000220",
      'info{key_id="2026-a"} 1',
      ...MAP_FETCH_OUTCOMES.map((outcome) => `fetches_total{outcome="${outcome}"} 0`),
      "fetch_duration_seconds_sum 0",
      "fetch_duration_seconds_count 0",
    ]);
  });

  test("follow what becomes of the map; what is not known has no sample", async () => {
    const metrics = createMetrics();
    metrics.serviceMap(FRESH);
    const held = { id: "x", generatedAt: "2023-11-14T22:13:20.000Z", removed: ["a"], reason: "r" };
    metrics.serviceMap({ state: "stale", connectors: 7, ageSeconds: 900, circuit: "half-open", held, pinned: "x" });
    expect(await samples(metrics)).toEqual(
      expect.arrayContaining([
        "age_seconds 900",
        "stale 1",
        "held 1",
        "pinned 1",
        "circuit_open 1",
        'info{key_id=""} 1',
      ]),
    );
    expect((await samples(metrics)).join("\n")).not.toMatch(/2026-a|expires_seconds|next_refresh_seconds/);
    for (const state of ["expired", "none"] as const) {
      metrics.serviceMap({ state, circuit: "open", connectors: 7 });
      const text = (await samples(metrics)).join("\n");
      expect(text).toContain("stale 1");
      expect(text).toContain("connectors 0");
      expect(text).not.toMatch(/age_seconds|info/);
    }
  });

  test("count every attempt, by its outcome", async () => {
    const metrics = createMetrics();
    metrics.serviceMapFetched("changed", 0.2);
    metrics.serviceMapFetched("unreachable", 5);
    metrics.serviceMapFetched("unreachable", 5);
    const text = await metrics.exposition();
    expect(text).toContain('brainwav_mcp_service_map_fetches_total{outcome="changed"} 1');
    expect(text).toContain('brainwav_mcp_service_map_fetches_total{outcome="unreachable"} 2');
    expect(text).toContain('brainwav_mcp_service_map_fetch_duration_seconds_bucket{le="0.25"} 1');
    expect(text).toContain("brainwav_mcp_service_map_fetch_duration_seconds_count 3");
  });
});
