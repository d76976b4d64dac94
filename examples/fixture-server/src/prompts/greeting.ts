import type { Prompt } from "./prompt.js";

const TONES = ["friendly", "formal", "funny"];
const NAMES = ["Ada", "Alan", "Dr. Curie", "Grace"];

/** A greeting as text; nobody greets a doctor but formally, so the completion of `tone` depends on `name`. */
export const greeting: Prompt = {
  definition: {
    name: "greeting",
    title: "Greeting",
    description: "Asks for a greeting of somebody.",
    arguments: [
      { name: "name", description: "Whom to greet.", required: true },
      { name: "tone", description: "friendly, formal or funny; friendly by default." },
    ],
  },
  get: ({ name = "", tone = "friendly" }) => ({
    description: `A ${tone} greeting`,
    messages: [
      { role: "user", content: { type: "text", text: `Write a ${tone} greeting for ${name}.` } },
      { role: "assistant", content: { type: "text", text: `A ${tone} greeting for ${name}:` } },
    ],
  }),
  valuesOf(argument, { name = "" }) {
    if (argument === "name") return NAMES;
    if (argument !== "tone") return [];
    return name.startsWith("Dr. ") ? ["formal"] : TONES;
  },
};
