import type { Timers } from "@cortex-os/mcp-core";
import { sleep } from "../sleep.js";
import { integerArg } from "./args.js";
import { textResult, type Tool } from "./tool.js";

const LONGEST_MS = 3_600_000;
const MOST_STEPS = 10_000;

/** Takes its time, tells its progress, and stops at once when it is cancelled. */
export const slow = (timers: Timers): Tool => ({
  definition: {
    name: "slow",
    title: "Slow",
    description: "Takes ms milliseconds in steps equal parts, with a progress notification after each part.",
    inputSchema: {
      type: "object",
      properties: {
        ms: { type: "integer", minimum: 0, maximum: LONGEST_MS },
        steps: { type: "integer", minimum: 1, maximum: MOST_STEPS, default: 1 },
      },
      required: ["ms"],
    },
    annotations: { readOnlyHint: true },
  },
  async call(args, { signal, progress, log }) {
    const ms = integerArg(args, "ms", 0, LONGEST_MS);
    const steps = integerArg(args, "steps", 1, MOST_STEPS, 1);
    log("info", `slow: ${ms} ms in ${steps} steps`);
    for (let step = 1; step <= steps; step += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the steps follow each other: that is the point
      if (!(await sleep(timers, ms / steps, signal))) return textResult(`cancelled in step ${step} of ${steps}`);
      progress(step, steps, `step ${step} of ${steps}`);
    }
    return textResult(`took ${ms} ms in ${steps} steps`);
  },
});
