import type { Timers } from "@cortex-os/mcp-core";
import { sleep } from "../sleep.js";
import { textResult, type Tool } from "../tools/tool.js";
import { NO_ARGUMENTS } from "./no-arguments.js";

const WORK_MS = 1_000;

/** Closes its connection and goes on working: where that can be, the client comes back for the answer (SEP-1699). */
export const reconnectionTool = (timers: Timers): Tool => ({
  definition: {
    name: "test_reconnection",
    description: "Closes the connection in the middle of the call, where the client can come back for the answer.",
    inputSchema: NO_ARGUMENTS,
  },
  async call(_args, context) {
    context.disconnect();
    await sleep(timers, WORK_MS, context.signal);
    return textResult("Reconnection test completed");
  },
});
