import type { Members } from "./message.js";

/** What servers may ask a client for. */
export const QUESTION_KINDS = ["elicitation", "sampling", "roots"] as const;

/** One of them: also the name of the capability that lets a server ask it. */
export type QuestionKind = (typeof QUESTION_KINDS)[number];

const METHODS: Readonly<Record<string, QuestionKind>> = {
  "elicitation/create": "elicitation",
  "sampling/createMessage": "sampling",
  "roots/list": "roots",
};

/** What a client of this revision declares to be ready to answer: elicitation came with 2025-06-18. */
export const capabilitiesOf = (revision: string): Record<string, Record<string, never>> => ({
  roots: {},
  sampling: {},
  ...(revision < "2025-06-18" ? {} : { elicitation: {} }),
});

/** What the client that calls itself `name` answers: it says who answered. */
export function answerOf(name: string, kind: QuestionKind): Members {
  switch (kind) {
    case "elicitation":
      return { action: "accept", content: { name } };
    case "sampling":
      return { role: "assistant", content: { type: "text", text: name }, model: "none", stopReason: "endTurn" };
    case "roots":
      return { roots: [{ uri: `file:///${encodeURIComponent(name)}`, name }] };
  }
}

/** The answer to a request of a server's; `undefined`: it is none of these. */
export function answerTo(name: string, method: string): Members | undefined {
  const kind = METHODS[method];
  return kind === undefined ? undefined : answerOf(name, kind);
}
