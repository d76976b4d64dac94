import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { Question } from "../asking/question.js";

/** An elicitation of one form. */
export const form = (message: string, properties: JsonObject, required?: readonly string[]): Question => ({
  kind: "elicitation",
  params: { message, requestedSchema: { type: "object", properties, ...(required && { required }) } },
});

/** A sampling of one message. */
export const sampling = (text: string, maxTokens = 100): Question => ({
  kind: "sampling",
  params: { messages: [{ role: "user", content: { type: "text", text } }], maxTokens },
});

/** The client's roots. */
export const roots: Question = { kind: "roots", params: {} };

const STRING = { type: "string" } as const;

/** Asks for a name; its answer is expected as `user_name`. */
export const userName = form("What is your name?", { name: STRING }, ["name"]);

/** Asks for a yes. */
export const confirmation = form("Please confirm", { ok: { type: "boolean" } }, ["ok"]);
