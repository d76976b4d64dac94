import type { Cell, Ratio } from "./summary.js";

/** The table and the ratios, as Markdown. */
export function roadReport(cells: readonly Cell[], ratios: readonly Ratio[]): string {
  return [
    "| way | at once | calls/s | p50 ms | p95 ms | p99 ms | CPU µs/call | fastest/slowest round |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...cells.map(rowOf),
    "",
    ...ratios.map(sentenceOf),
    "",
  ].join("\n");
}

function rowOf({ way, concurrency, callsPerSecond, p50Ms, p95Ms, p99Ms, cpuMicros, spread }: Cell): string {
  const numbers = [
    concurrency,
    Math.round(callsPerSecond),
    p50Ms.toFixed(3),
    p95Ms.toFixed(3),
    p99Ms.toFixed(3),
    cpuMicros?.toFixed(0) ?? "–",
    spread.toFixed(2),
  ];
  return `| ${[way, ...numbers].join(" | ")} |`;
}

function sentenceOf({ concurrency, throughput, cpu, noisy }: Ratio): string {
  const warning = noisy ? " (the machine was too noisy for this to mean much)" : "";
  const share = `${throughput.toFixed(2)} of the bare proxy's calls, with ${cpu.toFixed(2)} times its CPU a call`;
  return `at ${concurrency}: cortex-mcp does ${share}${warning}`;
}
