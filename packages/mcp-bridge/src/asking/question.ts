import type { JsonObject, JsonRpcErrorObject } from "@cortex-os/mcp-core/wire";

/** What became of a question: what the client answered, its error's code and data included, or an error of ours in its stead. */
export type QuestionAnswer = { readonly result: JsonObject } | { readonly error: JsonRpcErrorObject };

/** A request of a legacy upstream's to a client: `elicitation/create`, `sampling/createMessage`, `roots/list`, or one that nobody here knows. */
export interface UpstreamQuestion {
  readonly method: string;
  /** As the upstream sent them. Whoever sends the question puts a progress token of his own in the place of the upstream's. */
  readonly params: JsonObject | undefined;
  /** Called once, unless it is withdrawn before. */
  readonly onAnswer: (answer: QuestionAnswer) => void;
  /** Progress that the client made, under the upstream's token. */
  readonly onProgress: (params: JsonObject) => void;
}

/** A question that a client was asked. */
export interface AskedQuestion {
  /** It needs no answer any more: the client is told so. Does nothing once it was answered. */
  withdraw(reason?: string): void;
}

/** Puts a question to a client. @returns `undefined` when there is no way to the client: nothing was asked then, and `onAnswer` is not called */
export type Ask = (question: UpstreamQuestion) => AskedQuestion | undefined;
