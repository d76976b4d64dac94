import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { PIXEL_PNG } from "../pixel.js";
import type { Prompt, PromptResult } from "../prompts/prompt.js";
import { form } from "./questions.js";

const says = (...contents: readonly JsonObject[]): PromptResult => ({
  messages: contents.map((content) => ({ role: "user", content })),
});
const text = (content: string): JsonObject => ({ type: "text", text: content });
const context = form("What context should the prompt use?", { context: { type: "string" } }, ["context"]);

/** The prompts that the official suite gets by name. */
export const conformancePrompts: readonly Prompt[] = [
  {
    definition: { name: "test_simple_prompt", description: "A prompt without arguments." },
    get: () => says(text("This is a simple prompt for testing.")),
  },
  {
    definition: {
      name: "test_prompt_with_arguments",
      description: "A prompt with two arguments.",
      arguments: [
        { name: "arg1", description: "First test argument", required: true },
        { name: "arg2", description: "Second test argument", required: true },
      ],
    },
    get: ({ arg1 = "", arg2 = "" }) => says(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
    valuesOf: (argument) => [`test value of ${argument}`, `text value of ${argument}`],
  },
  {
    definition: {
      name: "test_prompt_with_embedded_resource",
      description: "A prompt that embeds a resource.",
      arguments: [{ name: "resourceUri", description: "URI of the resource to embed", required: true }],
    },
    get: ({ resourceUri = "" }) =>
      says(
        {
          type: "resource",
          resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." },
        },
        text("Please process the embedded resource above."),
      ),
  },
  {
    definition: { name: "test_prompt_with_image", description: "A prompt with an image." },
    get: () => says({ type: "image", data: PIXEL_PNG, mimeType: "image/png" }, text("Please analyze the image above.")),
  },
  {
    definition: { name: "test_input_required_result_prompt", description: "A prompt that asks first (SEP-2322)." },
    async get(_args, ask) {
      const replies = await ask({ user_context: context });
      return says(text(`The client said: ${JSON.stringify(replies)}`));
    },
  },
];
