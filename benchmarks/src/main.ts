import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { report } from "./report.js";
import { measureRoad } from "./road.js";
import { cellOf, ratiosOf } from "./summary.js";

/**
 * Usage: pnpm bench [--quick] [--out FOLDER]. Prints a table and ratios, and writes `road.json`. It fails only when it could not measure: speed on a
 * shared machine is no verdict.
 */
const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, out: { type: "string", default: "reports" } },
});

const measurements = await measureRoad(
  values.quick
    ? { concurrencies: [16], rounds: 3, roundMs: 1_000 }
    : { concurrencies: [1, 16, 64], rounds: 9, roundMs: 1_500 },
  (done, all) => process.stderr.write(`round ${done} of ${all}\n`),
);
const ratios = ratiosOf(measurements);
process.stdout.write(report(measurements.map(cellOf), ratios));

await mkdir(values.out, { recursive: true });
const machine = { node: process.version, cores: cpus().length, loadAverage: loadavg() };
const file = path.join(values.out, "road.json");
await writeFile(file, `${JSON.stringify({ machine, ratios, measurements }, null, 2)}\n`);
