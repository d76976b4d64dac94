import { fileURLToPath } from "node:url";
import type { FullDiskOrder } from "../processes/full-disk-main.js";
import { runOnSmallDisk } from "../processes/small-disk.js";
import { Tally, type Scenario, type ScenarioOptions, type ScenarioResult } from "../scenario.js";

const MAIN = fileURLToPath(new URL("../../dist/processes/full-disk-main.js", import.meta.url));

/** A real file system of 64 KiB that fills up, and is freed. A round is one registry. */
export const fullDisk: Scenario = {
  name: "full-disk",
  promise:
    "on a disk that is full a change is refused, nothing is lost, and once there is space everything works (R11)",
  short: 20,
  long: 500,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(fullDisk.name);
    const order: FullDiskOrder = { scenario: fullDisk.name, entry: target.entry, seed, rounds };
    const outcome = await runOnSmallDisk(MAIN, JSON.stringify(order));
    if (outcome.kind === "impossible") {
      return tally.result(`no file system of 64 KiB can be mounted here, not even in a namespace: ${outcome.reason}`);
    }
    const { code, stdout, stderr } = outcome;
    if (code === 0) return JSON.parse(stdout) as ScenarioResult;
    tally.fail("thrown", seed, `the program left with ${code}: ${stderr}`, rounds);
    return tally.result();
  },
};
