import { Gauge } from "prom-client";
import { describe, expect, test, vi } from "vitest";
import { CALL_OUTCOMES } from "../../gateway/metered-sink.js";
import { createMetrics } from "../metrics.js";
import { fedMetrics, requestOf, statusOf } from "./fed-metrics.js";

describe("the metrics (R15)", () => {
  test("their names and types are pinned: dashboards and alerts are built on them", async () => {
    const text = await fedMetrics().exposition();
    expect(
      text.split("\n").flatMap((line) => (line.startsWith("# TYPE") ? [line.slice("# TYPE ".length)] : [])),
    ).toEqual([
      "process_cpu_seconds_total counter",
      "process_start_time_seconds gauge",
      "process_resident_memory_bytes gauge",
      "nodejs_heap_used_bytes gauge",
      "process_open_fds gauge",
      "brainwav_mcp_build_info gauge",
      "brainwav_mcp_connector_proxy_up gauge",
      "brainwav_mcp_connector_enabled gauge",
      "brainwav_mcp_connector_list_age_seconds gauge",
      "brainwav_mcp_connector_failures_total counter",
      "brainwav_mcp_connectors gauge",
      "brainwav_mcp_calls_total counter",
      "brainwav_mcp_call_duration_seconds histogram",
      "mcp_connector_sync_duration_seconds histogram",
      "brainwav_mcp_requests_total counter",
      "brainwav_mcp_errors_total counter",
      "brainwav_mcp_rejected_requests_total counter",
      "brainwav_mcp_stale_serves_total counter",
      "brainwav_mcp_client_sessions gauge",
      "brainwav_mcp_listeners gauge",
      "brainwav_mcp_catalog_tools gauge",
      "brainwav_mcp_catalog_entries gauge",
      "brainwav_mcp_catalog_changes_total counter",
      "brainwav_mcp_catalog_age_seconds gauge",
      "brainwav_mcp_cache_hits_total counter",
      "brainwav_mcp_cache_misses_total counter",
      "brainwav_mcp_cache_evictions_total counter",
      "brainwav_mcp_cache_bytes gauge",
      "brainwav_mcp_registry_reads_total counter",
      "brainwav_mcp_registry_readable gauge",
      "brainwav_mcp_registry_flush_duration_seconds histogram",
      "brainwav_mcp_registry_flush_failures_total counter",
      "brainwav_mcp_service_map_age_seconds gauge",
      "brainwav_mcp_service_map_expires_seconds gauge",
      "brainwav_mcp_service_map_stale_until_seconds gauge",
      "brainwav_mcp_service_map_stale gauge",
      "brainwav_mcp_service_map_connectors gauge",
      "brainwav_mcp_service_map_held gauge",
      "brainwav_mcp_service_map_pinned gauge",
      "brainwav_mcp_service_map_circuit_open gauge",
      "brainwav_mcp_service_map_next_refresh_seconds gauge",
      "brainwav_mcp_service_map_info gauge",
      "brainwav_mcp_service_map_fetches_total counter",
      "brainwav_mcp_service_map_fetch_duration_seconds histogram",
    ]);
  });

  test("what they are told is what they show", async () => {
    const metrics = createMetrics();
    metrics.build("1.2.3");
    metrics.connectors([statusOf("a"), statusOf("b", "down", "map"), statusOf("c", "disabled")]);
    metrics.listAges(new Map([["a", 12.5]]));
    metrics.synced(true, 0.2);
    metrics.ended(requestOf({ connector: "a" }));
    metrics.ended(requestOf({ era: "legacy", method: "tools/list" }));
    metrics.ended(requestOf({ outcome: "failed", code: "TOOL_UNKNOWN" }));
    metrics.rejected("host");
    metrics.staleServe({ kind: "call", reason: "map" });
    metrics.sessions(1);
    metrics.listeners(2);
    metrics.catalogChanged({ tools: 3, prompts: 4 });
    metrics.catalogAge(5);
    metrics.registryRead(true);
    metrics.registryFlushed(0.004);
    const text = await metrics.exposition();
    for (const line of [
      `brainwav_mcp_build_info{version="1.2.3",node="${process.version}"} 1`,
      'brainwav_mcp_connector_proxy_up{connector="a"} 1',
      'brainwav_mcp_connector_proxy_up{connector="b"} 0',
      'brainwav_mcp_connector_enabled{connector="b"} 1',
      'brainwav_mcp_connector_enabled{connector="c"} 0',
      'brainwav_mcp_connector_list_age_seconds{connector="a"} 12.5',
      'brainwav_mcp_connectors{source="registry",state="up"} 1',
      'brainwav_mcp_connectors{source="map",state="down"} 1',
      'brainwav_mcp_connectors{source="map",state="up"} 0',
      'mcp_connector_sync_duration_seconds_bucket{le="0.25",result="ok"} 1',
      'brainwav_mcp_call_duration_seconds_bucket{le="0.001",connector="a",outcome="answered"} 1',
      'brainwav_mcp_calls_total{connector="a",method="tools/call",outcome="answered"} 1',
      'brainwav_mcp_requests_total{era="modern",method="tools/call",outcome="answered"} 1',
      'brainwav_mcp_requests_total{era="legacy",method="tools/list",outcome="answered"} 1',
      'brainwav_mcp_requests_total{era="modern",method="tools/call",outcome="failed"} 1',
      'brainwav_mcp_errors_total{code="TOOL_UNKNOWN"} 1',
      'brainwav_mcp_errors_total{code="INTERNAL"} 0',
      'brainwav_mcp_rejected_requests_total{reason="host"} 1',
      'brainwav_mcp_rejected_requests_total{reason="origin"} 0',
      'brainwav_mcp_stale_serves_total{kind="call",reason="map"} 1',
      'brainwav_mcp_stale_serves_total{kind="list",reason="connector"} 0',
      "brainwav_mcp_client_sessions 1",
      "brainwav_mcp_listeners 2",
      "brainwav_mcp_catalog_tools 3",
      'brainwav_mcp_catalog_entries{kind="prompts"} 4',
      'brainwav_mcp_catalog_entries{kind="resources"} 0',
      "brainwav_mcp_catalog_changes_total 1",
      "brainwav_mcp_catalog_age_seconds 5",
      'brainwav_mcp_registry_reads_total{result="ok"} 1',
      "brainwav_mcp_registry_readable 1",
      'brainwav_mcp_registry_flush_duration_seconds_bucket{le="0.005"} 1',
      "brainwav_mcp_registry_flush_failures_total 0",
    ]) {
      expect(text).toContain(line);
    }
    expect(metrics.contentType).toContain("text/plain");
  });

  test("a failed sync, a connector that went down and a registry that cannot be read or written show as such", async () => {
    const metrics = createMetrics();
    metrics.connectors([statusOf("a")]);
    for (let told = 0; told < 3; told += 1) metrics.connectors([statusOf("a", "down")]);
    metrics.synced(false, 1);
    metrics.registryRead(false);
    metrics.registryFlushed(undefined);
    const text = await metrics.exposition();
    expect(text).toContain('brainwav_mcp_connector_proxy_up{connector="a"} 0');
    expect(text).toContain('brainwav_mcp_connector_failures_total{connector="a"} 1');
    expect(text).toContain('mcp_connector_sync_duration_seconds_count{result="failed"} 1');
    expect(text).toContain("brainwav_mcp_registry_readable 0");
    expect(text).toContain("brainwav_mcp_registry_flush_failures_total 1");
    expect(text).toContain("brainwav_mcp_registry_flush_duration_seconds_count 0");
  });

  test("a connector that left takes its series along, and no other's", async () => {
    const metrics = createMetrics();
    metrics.connectors([statusOf("a"), statusOf("b")]);
    metrics.listAges(
      new Map([
        ["a", 1],
        ["b", 1],
      ]),
    );
    for (const connector of ["a", "b"]) {
      for (const outcome of CALL_OUTCOMES) metrics.ended(requestOf({ connector, outcome, method: "no/such" }));
    }
    metrics.connectors([statusOf("b")]);
    const text = await metrics.exposition();
    expect(text).not.toContain('connector="a"');
    expect(text).toContain('brainwav_mcp_connector_proxy_up{connector="b"} 1');
    expect(text).toContain('brainwav_mcp_call_duration_seconds_count{connector="b",outcome="failed"} 1');
    expect(text).toContain('brainwav_mcp_calls_total{connector="b",method="other",outcome="failed"} 1');
  });

  test("one connector of many that comes up costs its own series, not everybody's (issue 7)", async () => {
    const metrics = createMetrics();
    const all = Array.from({ length: 100 }, (_, at) => statusOf(`c${at}`, "connecting"));
    metrics.connectors(all);
    const set = vi.spyOn(Gauge.prototype, "set");
    metrics.connectors([statusOf("c0"), ...all.slice(1)]);
    expect(set.mock.calls.length).toBeLessThan(20);
    set.mockRestore();
    const text = await metrics.exposition();
    expect(text).toContain('brainwav_mcp_connector_proxy_up{connector="c0"} 1');
    expect(text).toContain('brainwav_mcp_connectors{source="registry",state="connecting"} 99');
    expect(text).toContain('brainwav_mcp_connectors{source="registry",state="up"} 1');
    expect(text).toContain('brainwav_mcp_connector_failures_total{connector="c99"} 0');
  });

  test("a call that ends after its connector left does not bring its series back, one of its successor counts", async () => {
    const metrics = createMetrics();
    metrics.connectors([statusOf("a")]);
    metrics.connectors([]);
    metrics.ended(requestOf({ connector: "a" }));
    const left = await metrics.exposition();
    expect(left).not.toContain('connector="a"');
    expect(left).toContain('brainwav_mcp_requests_total{era="modern",method="tools/call",outcome="answered"} 1');
    metrics.connectors([statusOf("a", "connecting")]);
    metrics.ended(requestOf({ connector: "a", outcome: "cancelled" }));
    expect(await metrics.exposition()).toContain(
      'brainwav_mcp_call_duration_seconds_count{connector="a",outcome="cancelled"} 1',
    );
  });

  test("two gateways in one process do not meet", async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.sessions(5);
    expect(await other.exposition()).toContain("brainwav_mcp_client_sessions 0");
  });
});
