import type { AskOptions, Question, Questions, Reply } from "../asking/question.js";
import { textResult, type Tool, type ToolContext } from "../tools/tool.js";
import { NO_ARGUMENTS } from "./no-arguments.js";
import { confirmation, form, roots, sampling, userName } from "./questions.js";

const tool = (name: string, answer: (context: ToolContext) => Promise<string>): Tool => ({
  definition: {
    name: `test_input_required_result_${name}`,
    description: "Needs answers of the client before it gives a result (SEP-2322).",
    inputSchema: NO_ARGUMENTS,
  },
  call: async (_args, context) => textResult(await answer(context)),
});

const text = (name: string): Question => form(`What is your ${name}?`, { [name]: { type: "string" } }, [name]);
const told = (replies: Readonly<Record<string, Reply>>): string => `The client said: ${JSON.stringify(replies)}`;
const asking = (name: string, questions: Questions, options?: AskOptions): Tool =>
  tool(name, async ({ ask }) => told(await ask(questions, options)));

/** Tools that ask before they answer, each in its own way. */
export const inputRequiredTools: readonly Tool[] = [
  // The suite tries this one with answers to a question that it was never asked: there is no state to go with them.
  tool("elicitation", async ({ ask }) => {
    const { user_name: reply } = await ask({ user_name: userName }, { stateless: true });
    return `Hello, ${JSON.stringify(reply?.answer?.["content"])}!`;
  }),
  asking("sampling", { capital_question: sampling("What is the capital of France?") }),
  asking("list_roots", { client_roots: roots }),
  asking("request_state", { confirm: confirmation }),
  asking("tampered_state", { confirm: confirmation }),
  asking("multiple_inputs", {
    user_name: userName,
    greeting: sampling("Generate a greeting", 50),
    client_roots: roots,
  }),
  tool("multi_round", async ({ ask }) => {
    const first = await ask({ step1: text("name") });
    return told({ ...first, ...(await ask({ step2: text("color") })) });
  }),
  // Asks for what the client can give, and for nothing else.
  tool("capabilities", async ({ ask, caller: { clientCapabilities } }) => {
    const all: Questions = { user_name: userName, greeting: sampling("Generate a greeting"), client_roots: roots };
    const possible = Object.entries(all).filter(([, { kind }]) => clientCapabilities[kind] !== undefined);
    return told(await ask(Object.fromEntries(possible)));
  }),
];
