import type { Cell } from "./summary.js";

const MIB = 2 ** 20;

/** What the ways showed, as a Markdown table. */
export function waysTable(cells: readonly Cell[]): string {
  return [
    "| way | at once | calls/s | p50 ms | p95 ms | p99 ms | CPU µs/call | peak MiB | over rest MiB | fastest/slowest round |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...cells.map(rowOf),
    "",
  ].join("\n");
}

function rowOf(cell: Cell): string {
  const { way, concurrency, callsPerSecond, p50Ms, p95Ms, p99Ms, cpuMicros, peakBytes, overRestBytes, spread } = cell;
  const numbers = [
    concurrency,
    Math.round(callsPerSecond),
    p50Ms.toFixed(3),
    p95Ms.toFixed(3),
    p99Ms.toFixed(3),
    cpuMicros?.toFixed(0) ?? "–",
    mib(peakBytes),
    mib(overRestBytes),
    spread.toFixed(2),
  ];
  return `| ${[way, ...numbers].join(" | ")} |`;
}

const mib = (bytes: number | undefined): string => (bytes === undefined ? "–" : (bytes / MIB).toFixed(0));
