import type { Timers } from "@cortex-os/mcp-core";
import { sleep } from "../sleep.js";
import { integerArg, stringArg } from "./args.js";
import { textResult, type Tool } from "./tool.js";

const LONGEST_MS = 3_600_000;
const MOST_STEPS = 10_000;

/** Takes its time, tells its progress, and stops at once when it is cancelled. */
export const slow = (timers: Timers): Tool => ({
  definition: {
    name: "slow",
    title: "Slow",
    description:
      "Takes ms milliseconds, with steps progress notifications at equal distances in between; all it says begins with label.",
    inputSchema: {
      type: "object",
      properties: {
        ms: { type: "integer", minimum: 0, maximum: LONGEST_MS },
        steps: { type: "integer", minimum: 1, maximum: MOST_STEPS, default: 1 },
        label: { type: "string" },
      },
      required: ["ms"],
    },
    annotations: { readOnlyHint: true },
  },
  async call(args, context) {
    const ms = integerArg(args, "ms", 0, LONGEST_MS);
    const steps = integerArg(args, "steps", 1, MOST_STEPS, 1);
    const label = args["label"] === undefined ? "" : `${stringArg(args, "label")}: `;
    context.log("info", `slow: ${ms} ms in ${steps} steps`);
    // The last notification is not the last thing to happen: both SDKs' clients lose progress over stdio that comes in one
    // chunk with the answer.
    const partMs = ms / (steps + 1);
    for (let step = 0; step <= steps; step += 1) {
      if (step > 0) context.progress(step, steps, `${label}step ${step} of ${steps}`);
      if (!(await sleep(timers, partMs, context.signal)))
        return textResult(`${label}cancelled after step ${step} of ${steps}`);
    }
    return textResult(`${label}took ${ms} ms in ${steps} steps`);
  },
});
