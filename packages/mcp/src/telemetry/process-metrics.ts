import { readdirSync } from "node:fs";
import { systemClock, type Clock } from "@cortex-os/mcp-core";
import { Counter, Gauge, type Registry } from "prom-client";

/** Where the process metrics come from. */
export interface ProcessMetricsOptions {
  /** @default the machine's */
  readonly clock?: Clock;
  /** The folder with one file for each open one; where there is none, as outside of Linux, that metric has no sample. @default "/proc/self/fd" */
  readonly descriptors?: string;
}

/**
 * Adds what can be told of this process by asking it when somebody looks: its start, CPU, memory and open files.
 *
 * prom-client's own set would also watch every garbage collection and sample the event loop all the time, on the way of every call. Runs of
 * `pnpm bench --quick` side by side suggest that this costs something; they were too noisy to say how much.
 */
export function addProcessMetrics(
  registry: Registry,
  { clock = systemClock, descriptors = "/proc/self/fd" }: ProcessMetricsOptions = {},
): void {
  const registers = [registry];
  const startedAtSeconds = Math.round(clock.now() / 1_000 - process.uptime());
  let countedSeconds = 0;
  const cpu = new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of this process, user and system",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      const seconds = (user + system) / 1e6;
      cpu.inc(seconds - countedSeconds);
      countedSeconds = seconds;
    },
  });
  const gauge = (name: string, help: string, read: () => number | undefined): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = read();
        if (value === undefined) made.remove();
        else made.set(value);
      },
    });
  };
  gauge("process_start_time_seconds", "When this process started, in seconds since the epoch", () => startedAtSeconds);
  gauge("process_resident_memory_bytes", "Memory of this process that is in RAM", () => process.memoryUsage.rss());
  gauge("nodejs_heap_used_bytes", "JavaScript objects, living and dead", () => process.memoryUsage().heapUsed);
  gauge("process_open_fds", "Open files and sockets of this process", () => filesIn(descriptors));
}

function filesIn(folder: string): number | undefined {
  try {
    return readdirSync(folder).length;
  } catch {
    // Also when there are no more to be had: the other metrics are wanted then more than ever.
    return undefined;
  }
}
