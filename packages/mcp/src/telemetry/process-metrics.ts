import { Counter, Gauge, type Registry } from "prom-client";

/**
 * Adds what can be told of this process by asking it when somebody looks: CPU and memory.
 *
 * prom-client's own set would also watch every garbage collection and sample the event loop all the time, on the way of every call. Runs of
 * `pnpm bench --quick` side by side suggest that this costs something; they were too noisy to say how much.
 */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
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
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      registers,
      collect() {
        made.set(read());
      },
    });
  };
  gauge("process_resident_memory_bytes", "Memory of this process that is in RAM", () => process.memoryUsage.rss());
  gauge("nodejs_heap_used_bytes", "JavaScript objects, living and dead", () => process.memoryUsage().heapUsed);
}
