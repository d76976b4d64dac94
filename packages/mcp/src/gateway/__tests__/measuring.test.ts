import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUp, TestSource } from "../../connectors/__tests__/directory-set-up.js";
import type { ServiceMapStatus } from "../../connectors/map/service-map-follower.js";
import { requestOf } from "../../telemetry/__tests__/fed-metrics.js";
import { createMetrics } from "../../telemetry/metrics.js";
import { Measuring } from "../measuring.js";

const FRESH: ServiceMapStatus = {
  url: "http://127.0.0.1:9",
  mode: "background",
  state: "fresh",
  circuit: "closed",
  failures: 0,
};

/** `local` of the registry and `docs` of the service map, both up, and what measures them. */
async function measured({ withMap = true } = {}) {
  const sources = [
    new TestSource("registry", [specOf("local")]),
    new TestSource("map", [specOf("docs", { source: "map" })]),
  ];
  const { time, upstreams, directory } = setUp(...sources);
  const metrics = createMetrics();
  let status = FRESH;
  let tell = (): void => {};
  const serviceMap = {
    status: () => status,
    subscribe: (listener: () => void) => {
      tell = listener;
      return () => {
        tell = () => {};
      };
    },
  };
  const ports = { directory, clock: time, monotonic: time, metrics };
  const measuring = new Measuring(ports);
  if (withMap) measuring.follow(serviceMap);
  directory.catalog.subscribe((catalog) => {
    measuring.catalogChanged(catalog);
  });
  await directory.start();
  for (const key of ["local", "docs"]) await upstreams.of(key).serve("x", "y");
  await settle();
  measuring.directoryChanged();
  const becomes = (state: ServiceMapStatus["state"]): void => {
    status = { ...FRESH, state };
    tell();
  };
  /** The samples whose name begins like this, without zeros. */
  const shown = async (name: string): Promise<readonly string[]> => {
    const lines = (await metrics.exposition()).split("\n");
    return lines.filter((line) => line.startsWith(`brainwav_mcp_${name}`) && !line.endsWith(" 0"));
  };
  return { time, upstreams, measuring, becomes, shown, now: () => measuring.now({ sessions: 1, listeners: 2 }) };
}

const LIST = requestOf({ method: "tools/list" });
const CALL_OF_MAP = requestOf({ connector: "docs" });

describe("what a gateway measures (R15)", () => {
  test("nothing is stale while every connector is up and the map is fresh", async () => {
    const { measuring, shown } = await measured();
    for (const request of [LIST, CALL_OF_MAP]) measuring.ended(request);
    expect(await shown("stale_serves")).toEqual([]);
    expect(await shown("requests_total")).toHaveLength(2);
  });

  test("lists are stale while a connector whose tools they hold is away", async () => {
    const { measuring, upstreams, shown } = await measured();
    upstreams.of("local").goDown("gone");
    measuring.directoryChanged();
    for (const request of [LIST, CALL_OF_MAP, requestOf({ method: "server/discover" })]) measuring.ended(request);
    expect(await shown("stale_serves")).toEqual(['brainwav_mcp_stale_serves_total{kind="list",reason="connector"} 1']);
    await upstreams.of("local").serve("x");
    measuring.directoryChanged();
    measuring.ended(LIST);
    expect(await shown("stale_serves")).toEqual(['brainwav_mcp_stale_serves_total{kind="list",reason="connector"} 1']);
  });

  test("lists, and calls of the map's connectors only, are stale while the map is", async () => {
    const { measuring, becomes, shown } = await measured();
    becomes("stale");
    for (const request of [LIST, CALL_OF_MAP, requestOf({ connector: "local" })]) measuring.ended(request);
    const stale = [
      'brainwav_mcp_stale_serves_total{kind="list",reason="map"} 1',
      'brainwav_mcp_stale_serves_total{kind="call",reason="map"} 1',
    ];
    expect(await shown("stale_serves")).toEqual(stale);
    becomes("fresh");
    for (const request of [LIST, CALL_OF_MAP]) measuring.ended(request);
    expect(await shown("stale_serves")).toEqual(stale);
  });

  test("what was not served was not served stale", async () => {
    const { measuring, becomes, shown } = await measured();
    becomes("stale");
    measuring.ended({ ...CALL_OF_MAP, outcome: "failed", code: "UPSTREAM_TIMEOUT" });
    measuring.ended({ ...LIST, outcome: "cancelled" });
    expect(await shown("stale_serves")).toEqual([]);
    expect(await shown("errors_total")).toEqual(['brainwav_mcp_errors_total{code="UPSTREAM_TIMEOUT"} 1']);
  });

  test("ages are those of the moment somebody looks", async () => {
    const { time, now, shown, upstreams, measuring } = await measured();
    await time.advance(90_000);
    upstreams.of("docs").announceChange();
    await settle();
    await upstreams.of("docs").answerList(["x", "y"]);
    measuring.directoryChanged();
    await time.advance(10_000);
    now();
    expect(await shown("connector_list_age")).toEqual([
      'brainwav_mcp_connector_list_age_seconds{connector="docs"} 10',
      'brainwav_mcp_connector_list_age_seconds{connector="local"} 100',
    ]);
    expect(await shown("catalog_")).toEqual([
      "brainwav_mcp_catalog_tools 4",
      'brainwav_mcp_catalog_entries{kind="tools"} 4',
      "brainwav_mcp_catalog_changes_total 2",
      "brainwav_mcp_catalog_age_seconds 100",
    ]);
    expect(await shown("client_sessions")).toEqual(["brainwav_mcp_client_sessions 1"]);
    expect(await shown("listeners")).toEqual(["brainwav_mcp_listeners 2"]);
  });

  test("a list that could not be had leaves its age as it is", async () => {
    const { time, now, shown, upstreams } = await measured();
    await time.advance(30_000);
    upstreams.of("local").announceChange();
    await settle();
    await upstreams.of("local").failList(new Error("no"));
    now();
    expect(await shown("connector_list_age")).toContain(
      'brainwav_mcp_connector_list_age_seconds{connector="local"} 30',
    );
  });

  test("the service map is told of where there is one", async () => {
    const [without, following] = [await measured({ withMap: false }), await measured()];
    for (const { now } of [without, following]) now();
    expect(await without.shown("service_map")).toEqual([]);
    following.becomes("stale");
    following.now();
    expect(await following.shown("service_map_stale")).toEqual(["brainwav_mcp_service_map_stale 1"]);
  });

  test("another service map takes the place of one, and of none nothing is told", async () => {
    const { measuring, becomes, shown, now } = await measured();
    becomes("stale");
    measuring.follow({ status: () => FRESH, subscribe: () => () => {} });
    becomes("stale");
    measuring.ended(LIST);
    now();
    expect(await shown("stale_serves")).toEqual([]);
    expect(await shown("service_map_age")).toEqual([]);
    measuring.follow(undefined);
    now();
    expect(await shown("service_map")).toEqual([]);
  });
});
