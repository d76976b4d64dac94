import type { Prompt } from "./prompt.js";

/** A prompt that has to be told something by the person first. */
export const askPrompt: Prompt = {
  definition: {
    name: "ask-prompt",
    title: "Ask first",
    description: "Asks the person for a topic by elicitation, and gives a prompt about it.",
  },
  async get(_args, ask) {
    const { topic } = await ask({
      topic: {
        kind: "elicitation",
        params: {
          message: "What is it about?",
          requestedSchema: { type: "object", properties: { topic: { type: "string" } }, required: ["topic"] },
        },
      },
    });
    return {
      messages: [{ role: "user", content: { type: "text", text: `The client said: ${JSON.stringify(topic)}` } }],
    };
  },
};
