import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { measureRoad, type Cell } from "./road.js";

/**
 * Usage: pnpm bench [--quick] [--out FOLDER]. Prints a table of ratios and writes `road.json`. It fails only when it could not measure: speed on a
 * shared machine is no verdict.
 */
const args = process.argv.slice(2);
const quick = args.includes("--quick");
const out = args.includes("--out") ? (args[args.indexOf("--out") + 1] ?? "reports") : "reports";

const cells = await measureRoad(
  { concurrencies: quick ? [16] : [1, 16, 64], rounds: quick ? 3 : 7, roundMs: quick ? 700 : 1_500 },
  (done, all) => process.stderr.write(`round ${done} of ${all}\n`),
);

const ratios = cells
  .filter(({ way }) => way === "cortex-mcp")
  .map((cell) => ({ concurrency: cell.concurrency, ...ratiosOf(cell, cellOf("bare proxy", cell.concurrency)) }));

function cellOf(way: Cell["way"], concurrency: number): Cell {
  const found = cells.find((cell) => cell.way === way && cell.concurrency === concurrency);
  if (found === undefined) throw new Error(`${way} was not measured at ${concurrency}`);
  return found;
}

function ratiosOf(ours: Cell, bare: Cell): { throughput: number; cpu: number } {
  return {
    throughput: ours.callsPerSecond / bare.callsPerSecond,
    cpu: (ours.cpuMicrosPerCall ?? 0) / (bare.cpuMicrosPerCall ?? 1),
  };
}

process.stdout.write("| way | at once | calls/s | p50 ms | p99 ms | CPU µs/call | fastest/slowest round |\n");
process.stdout.write("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
for (const cell of cells) {
  const row = [
    cell.way,
    cell.concurrency,
    Math.round(cell.callsPerSecond),
    cell.p50Ms.toFixed(3),
    cell.p99Ms.toFixed(3),
    cell.cpuMicrosPerCall?.toFixed(0) ?? "–",
    cell.spread.toFixed(2),
  ];
  process.stdout.write(`| ${row.join(" | ")} |\n`);
}
for (const { concurrency, throughput, cpu } of ratios) {
  process.stdout.write(
    `at ${concurrency}: cortex-mcp does ${throughput.toFixed(2)} of the bare proxy's calls, with ${cpu.toFixed(2)} times its CPU a call\n`,
  );
}

await mkdir(out, { recursive: true });
const machine = { node: process.version, cores: cpus().length, loadAverage: loadavg() };
await writeFile(join(out, "road.json"), `${JSON.stringify({ machine, cells, ratios }, null, 2)}\n`);
