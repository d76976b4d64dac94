import type { Timers } from "@cortex-os/mcp-core";
import { sleep } from "../sleep.js";
import { textResult, type Tool } from "../tools/tool.js";
import { NO_ARGUMENTS } from "./no-arguments.js";

const PAUSE_MS = 50;

/** Tells its progress from nothing to everything. */
export const progressTool = (timers: Timers): Tool => ({
  definition: {
    name: "test_tool_with_progress",
    description: "Tells that 0, 50 and 100 of 100 are done.",
    inputSchema: NO_ARGUMENTS,
  },
  async call(_args, context) {
    context.progress(0, 100);
    await sleep(timers, PAUSE_MS, context.signal);
    context.progress(50, 100);
    await sleep(timers, PAUSE_MS, context.signal);
    context.progress(100, 100);
    return textResult("done");
  },
});
