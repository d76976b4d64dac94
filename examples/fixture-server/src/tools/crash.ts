import { textResult, type Tool } from "./tool.js";

/** Ends the process by `exit`, in the middle of the call. */
export const crash = (exit: () => void): Tool => ({
  definition: {
    name: "crash",
    title: "Crash",
    description: "Ends the server's process with status 1, without an answer.",
    inputSchema: { type: "object", additionalProperties: false },
    annotations: { destructiveHint: true },
  },
  call() {
    exit();
    return textResult("still here");
  },
});
