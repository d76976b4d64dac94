import { describe, expect, test } from "vitest";
import { CALL_OUTCOMES } from "../../gateway/metered-sink.js";
import { createMetrics } from "../metrics.js";

describe("the metrics (R15)", () => {
  test("their names, types and labels are pinned: dashboards and alerts are built on them", async () => {
    const metrics = createMetrics();
    metrics.connectorUp("a", true);
    metrics.connectorFailed("a");
    metrics.synced(true, 0.2);
    metrics.called("a", "answered", 0.001);
    metrics.rejected("host");
    metrics.sessions(1);
    metrics.listeners(2);
    metrics.catalogTools(3);
    metrics.catalogChanged();
    const text = await metrics.exposition();
    expect(text.split("\n").filter((line) => line.startsWith("# TYPE"))).toEqual([
      "# TYPE brainwav_mcp_connector_proxy_up gauge",
      "# TYPE mcp_connector_sync_duration_seconds histogram",
      "# TYPE brainwav_mcp_call_duration_seconds histogram",
      "# TYPE brainwav_mcp_connector_failures_total counter",
      "# TYPE brainwav_mcp_client_sessions gauge",
      "# TYPE brainwav_mcp_listeners gauge",
      "# TYPE brainwav_mcp_catalog_tools gauge",
      "# TYPE brainwav_mcp_catalog_changes_total counter",
      "# TYPE brainwav_mcp_rejected_requests_total counter",
    ]);
    for (const line of [
      'brainwav_mcp_connector_proxy_up{connector="a"} 1',
      'mcp_connector_sync_duration_seconds_bucket{le="0.25",result="ok"} 1',
      'brainwav_mcp_call_duration_seconds_bucket{le="0.001",connector="a",outcome="answered"} 1',
      'brainwav_mcp_connector_failures_total{connector="a"} 1',
      "brainwav_mcp_client_sessions 1",
      "brainwav_mcp_listeners 2",
      "brainwav_mcp_catalog_tools 3",
      "brainwav_mcp_catalog_changes_total 1",
      'brainwav_mcp_rejected_requests_total{reason="host"} 1',
    ]) {
      expect(text).toContain(line);
    }
    expect(metrics.contentType).toContain("text/plain");
  });

  test("a failed sync and a connector that is down show as such", async () => {
    const metrics = createMetrics();
    metrics.connectorUp("a", true);
    metrics.connectorUp("a", false);
    metrics.synced(false, 1);
    const text = await metrics.exposition();
    expect(text).toContain('brainwav_mcp_connector_proxy_up{connector="a"} 0');
    expect(text).toContain('mcp_connector_sync_duration_seconds_count{result="failed"} 1');
  });

  test("a connector that left takes its series along, and no other's", async () => {
    const metrics = createMetrics();
    for (const connector of ["a", "b"]) {
      metrics.connectorUp(connector, true);
      for (const outcome of CALL_OUTCOMES) metrics.called(connector, outcome, 1);
    }
    metrics.connectorGone("a");
    const text = await metrics.exposition();
    expect(text).not.toContain('connector="a"');
    expect(text).toContain('brainwav_mcp_connector_proxy_up{connector="b"} 1');
    expect(text).toContain('brainwav_mcp_call_duration_seconds_count{connector="b",outcome="failed"} 1');
  });

  test("a call that ends after its connector left does not bring its series back, one of its successor counts", async () => {
    const metrics = createMetrics();
    metrics.connectorUp("a", true);
    metrics.connectorGone("a");
    metrics.called("a", "answered", 1);
    expect(await metrics.exposition()).not.toContain('connector="a"');
    metrics.connectorUp("a", false);
    metrics.called("a", "cancelled", 1);
    expect(await metrics.exposition()).toContain(
      'brainwav_mcp_call_duration_seconds_count{connector="a",outcome="cancelled"} 1',
    );
  });

  test("the process itself is told of when asked for", async () => {
    expect(await createMetrics().exposition()).not.toContain("process_cpu");
    const metrics = createMetrics({ ofProcess: true });
    const valueOf = (text: string, name: string): number =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${name} `))
          ?.split(" ")[1],
      );
    const [first, second] = [await metrics.exposition(), await metrics.exposition()];
    expect(valueOf(first, "process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(valueOf(second, "process_cpu_seconds_total")).toBeCloseTo(process.cpuUsage().user / 1e6, -1);
    expect(valueOf(first, "process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(valueOf(first, "nodejs_heap_used_bytes")).toBeGreaterThan(1e6);
  });

  test("two gateways in one process do not meet", async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.sessions(5);
    expect(await other.exposition()).toContain("brainwav_mcp_client_sessions 0");
  });
});
