import type { Scenario } from "./scenario.js";
import { cutFiles } from "./scenarios/cut-files.js";
import { failedSync } from "./scenarios/failed-sync.js";
import { faults } from "./scenarios/faults.js";
import { flippedBits } from "./scenarios/flipped-bits.js";
import { fullDisk } from "./scenarios/full-disk.js";
import { interleaved } from "./scenarios/interleaved.js";
import { killAtCall } from "./scenarios/kill-at-call.js";
import { killAtSyscall } from "./scenarios/kill-at-syscall.js";
import { killRandom } from "./scenarios/kill-random.js";
import { manyWriters } from "./scenarios/many-writers.js";
import { model } from "./scenarios/model.js";
import { overwrites } from "./scenarios/overwrites.js";
import { powerCuts } from "./scenarios/power-cuts.js";
import { reusedPid } from "./scenarios/reused-pid.js";

/** Every way to lose something that the suite tries. */
export const SCENARIOS: readonly Scenario[] = [
  ...[killRandom, killAtCall, killAtSyscall, powerCuts, cutFiles, flippedBits, overwrites, faults, failedSync],
  ...[fullDisk, manyWriters, interleaved, reusedPid, model],
];

/** The first seed when none is asked for: the short form is the same every time. */
export const DEFAULT_SEED = 20_261_201;
