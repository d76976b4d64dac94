import { stringArg } from "./args.js";
import { errorResult, type Tool } from "./tool.js";

/** Fails the way tools fail: with a result that says so. */
export const fail: Tool = {
  definition: {
    name: "fail",
    title: "Fail",
    description: "Answers with isError and the message.",
    inputSchema: { type: "object", properties: { message: { type: "string" } }, required: ["message"] },
    annotations: { readOnlyHint: true },
  },
  call: (args) => errorResult(stringArg(args, "message")),
};
