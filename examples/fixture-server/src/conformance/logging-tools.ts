import type { Timers } from "@cortex-os/mcp-core";
import { sleep } from "../sleep.js";
import { textResult, type Tool } from "../tools/tool.js";
import { NO_ARGUMENTS } from "./no-arguments.js";

const PAUSE_MS = 50;

/** Logs three times, with pauses: clients have to take what comes in between. */
const withLogging = (timers: Timers): Tool => ({
  definition: {
    name: "test_tool_with_logging",
    description: "Sends three log messages while it works.",
    inputSchema: NO_ARGUMENTS,
  },
  async call(_args, context) {
    context.log("info", "Tool execution started");
    await sleep(timers, PAUSE_MS, context.signal);
    context.log("info", "Tool processing data");
    await sleep(timers, PAUSE_MS, context.signal);
    context.log("info", "Tool execution completed");
    return textResult("logged three times");
  },
});

/** Logs once, for those who asked for it. */
const once: Tool = {
  definition: {
    name: "test_logging_tool",
    description: "Sends one log message.",
    inputSchema: NO_ARGUMENTS,
  },
  call(_args, context) {
    context.log("info", "a log message");
    return textResult("logged, if you asked for it");
  },
};

/** Tools that log. */
export const loggingTools = (timers: Timers): Tool[] => [withLogging(timers), once];
