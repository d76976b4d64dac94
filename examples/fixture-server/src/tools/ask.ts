import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { isQuestionKind, QUESTION_KINDS, type QuestionKind } from "../asking/question.js";
import { booleanArg, ToolInputError } from "./args.js";
import { structuredResult, type Tool } from "./tool.js";

/** What is asked when the call says nothing else. */
const USUAL: Readonly<Record<QuestionKind, JsonObject>> = {
  elicitation: {
    message: "What is your name?",
    requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
  },
  sampling: {
    messages: [{ role: "user", content: { type: "text", text: "What is the capital of France?" } }],
    maxTokens: 100,
  },
  roots: {},
};

/** Asks the client one question and gives back what it said. */
export const ask: Tool = {
  definition: {
    name: "ask",
    title: "Ask",
    description:
      "Asks the client for an elicitation, a sampling or its roots, and gives back what it answered. " +
      "With a progress token in the _meta of params, also what the client told on the way.",
    inputSchema: {
      type: "object",
      properties: {
        kind: { type: "string", enum: QUESTION_KINDS },
        params: { type: "object", description: "The question's parameters, passed on as they are." },
        where: { type: "string", enum: ["stream", "session"], default: "stream" },
        force: { type: "boolean", default: false, description: "Asks also what the client did not declare." },
      },
      required: ["kind"],
    },
    outputSchema: {
      type: "object",
      properties: { answer: { type: "object" }, error: { type: "object" }, progress: { type: "array" } },
    },
    annotations: { readOnlyHint: true },
  },
  async call(args, context) {
    const { kind } = args;
    if (!isQuestionKind(kind)) throw new ToolInputError(`kind must be one of ${QUESTION_KINDS.join(", ")}`);
    const { params = USUAL[kind], where = "stream" } = args;
    if (!isJsonObject(params)) throw new ToolInputError("params must be an object");
    if (where !== "stream" && where !== "session") throw new ToolInputError("where must be stream or session");
    const force = booleanArg(args, "force", false);
    const { reply } = await context.ask({ reply: { kind, params } }, { where, force });
    return structuredResult({ ...reply });
  },
};
