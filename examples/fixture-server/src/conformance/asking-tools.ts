import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { Question, Reply } from "../asking/question.js";
import { stringArg } from "../tools/args.js";
import { errorResult, textResult, type Tool, type ToolResult } from "../tools/tool.js";
import { NO_ARGUMENTS } from "./no-arguments.js";
import { form, sampling } from "./questions.js";

const TITLED = [
  { const: "value1", title: "First Option" },
  { const: "value2", title: "Second Option" },
  { const: "value3", title: "Third Option" },
];
const OPTIONS = ["option1", "option2", "option3"];

/** One of each primitive type with a default (SEP-1034). */
const defaults = form("Please check what is filled in", {
  name: { type: "string", description: "User name", default: "John Doe" },
  age: { type: "integer", description: "User age", default: 30 },
  score: { type: "number", description: "User score", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", description: "Verification status", default: true },
});

/** One of each way to offer a choice (SEP-1330). */
const choices = form("Please choose", {
  untitledSingle: { type: "string", enum: OPTIONS },
  titledSingle: { type: "string", oneOf: TITLED },
  legacyEnum: {
    type: "string",
    enum: ["opt1", "opt2", "opt3"],
    enumNames: ["Option One", "Option Two", "Option Three"],
  },
  untitledMulti: { type: "array", items: { type: "string", enum: OPTIONS } },
  titledMulti: { type: "array", items: { anyOf: TITLED } },
});

const user = {
  username: { type: "string", description: "User's response" },
  email: { type: "string", description: "User's email address" },
};

interface AskingTool {
  readonly name: string;
  /** The one argument it has, a string. */
  readonly argument?: string;
  readonly question: (argument: string) => Question;
  readonly tell: (answer: JsonObject) => string;
}

const outcome = ({ action, content }: JsonObject): string =>
  `action=${JSON.stringify(action)}, content=${JSON.stringify(content ?? {})}`;

const askingTool = ({ name, argument, question, tell }: AskingTool): Tool => ({
  definition: {
    name,
    description: "Asks the client one question, and tells what it answered.",
    inputSchema:
      argument === undefined
        ? NO_ARGUMENTS
        : { type: "object", properties: { [argument]: { type: "string" } }, required: [argument] },
  },
  async call(args, { ask }) {
    const text = argument === undefined ? "" : stringArg(args, argument);
    const { reply = {} } = await ask({ reply: question(text) });
    return told(reply, tell);
  },
});

const told = ({ answer, error }: Reply, tell: (answer: JsonObject) => string): ToolResult =>
  answer === undefined ? errorResult(`The client failed: ${error?.message ?? ""}`) : textResult(tell(answer));

/** Tools that ask one question. */
export const askingTools: readonly Tool[] = [
  askingTool({
    name: "test_sampling",
    argument: "prompt",
    question: (prompt) => sampling(prompt),
    tell: ({ content }) => `LLM response: ${JSON.stringify(content)}`,
  }),
  askingTool({
    name: "test_elicitation",
    argument: "message",
    question: (message) => form(message, user, ["username", "email"]),
    tell: (answer) => `User response: ${outcome(answer)}`,
  }),
  askingTool({
    name: "test_elicitation_sep1034_defaults",
    question: () => defaults,
    tell: (answer) => `Elicitation completed: ${outcome(answer)}`,
  }),
  askingTool({
    name: "test_elicitation_sep1330_enums",
    question: () => choices,
    tell: (answer) => `Elicitation completed: ${outcome(answer)}`,
  }),
  // Those of the modern era: what they ask for may not be asked of everybody, and never as a request of its own.
  askingTool({
    name: "test_missing_capability",
    question: () => sampling("Anything?"),
    tell: () => "The client can sample",
  }),
  askingTool({
    name: "test_streaming_elicitation",
    question: () => form("Go on?", { ok: { type: "boolean" } }),
    tell: (answer) => `Elicitation completed: ${outcome(answer)}`,
  }),
];
