import { ManualTime } from "@cortex-os/mcp-core/testing";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { createMetrics } from "../metrics.js";
import { addProcessMetrics } from "../process-metrics.js";

const valueOf = (text: string, name: string): number =>
  Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")[1],
  );

describe("the metrics of the process (R15)", () => {
  test("are there when asked for, and read when somebody looks", async () => {
    expect(await createMetrics().exposition()).not.toContain("process_cpu");
    const metrics = createMetrics({ ofProcess: true });
    const [first, second] = [await metrics.exposition(), await metrics.exposition()];
    expect(valueOf(first, "process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(valueOf(second, "process_cpu_seconds_total")).toBeCloseTo(process.cpuUsage().user / 1e6, -1);
    expect(valueOf(first, "process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(valueOf(first, "nodejs_heap_used_bytes")).toBeGreaterThan(1e6);
    expect(valueOf(first, "process_start_time_seconds")).toBeGreaterThan(1.6e9);
  });

  test.runIf(process.platform === "linux")("count open files", async () => {
    expect(valueOf(await createMetrics({ ofProcess: true }).exposition(), "process_open_fds")).toBeGreaterThan(2);
  });

  test("say nothing of what the machine does not tell, and the rest all the same", async () => {
    const registry = new Registry();
    addProcessMetrics(registry, { clock: new ManualTime(), descriptors: "no/such/folder" });
    const text = await registry.metrics();
    expect(text).not.toMatch(/^process_open_fds /m);
    expect(valueOf(text, "nodejs_heap_used_bytes")).toBeGreaterThan(1e6);
  });
});
