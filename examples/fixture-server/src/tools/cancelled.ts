import type { CallCounters } from "../call-counters.js";
import { structuredResult, type Tool } from "./tool.js";

/** Tells what became of the calls so far, so that a test sees that a cancellation arrived. */
export const cancelled = (counters: CallCounters): Tool => ({
  definition: {
    name: "cancelled",
    title: "Cancelled",
    description: "Counts calls that were started, completed, cancelled and are in flight, but for calls of this tool.",
    inputSchema: { type: "object", additionalProperties: false },
    outputSchema: { type: "object", required: ["started", "completed", "cancelled", "inFlight"] },
    annotations: { readOnlyHint: true },
  },
  counted: false,
  call: () => structuredResult(counters.snapshot()),
});
