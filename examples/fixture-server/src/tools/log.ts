import { isLogLevel, LOG_LEVELS } from "../log-level.js";
import { stringArg, ToolInputError } from "./args.js";
import { textResult, type Tool } from "./tool.js";

/** Sends one log message ahead of its result, if the client asked for that severity. */
export const log: Tool = {
  definition: {
    name: "log",
    title: "Log",
    description: "Sends one log message of this level and text ahead of its result.",
    inputSchema: {
      type: "object",
      properties: { level: { type: "string", enum: LOG_LEVELS }, text: { type: "string" } },
      required: ["level", "text"],
    },
    annotations: { readOnlyHint: true },
  },
  call(args, context) {
    const level = stringArg(args, "level");
    if (!isLogLevel(level)) throw new ToolInputError(`level must be one of ${LOG_LEVELS.join(", ")}`);
    context.log(level, stringArg(args, "text"));
    return textResult("logged");
  },
};
