import { isJsonObject, type JsonObject, type JsonRpcErrorObject, type JsonValue } from "@cortex-os/mcp-core/wire";

/** What a server may ask a client for. */
export const QUESTION_KINDS = ["elicitation", "sampling", "roots"] as const;

/** One of {@link QUESTION_KINDS}: also the name of the capability that lets a server ask it. */
export type QuestionKind = (typeof QUESTION_KINDS)[number];

/** One question. */
export interface Question {
  readonly kind: QuestionKind;
  readonly params: JsonObject;
}

/** Questions under the names their answers come back by. */
export type Questions = Readonly<Record<string, Question>>;

/** What a client said to a question. */
export interface Reply {
  readonly answer?: JsonObject;
  readonly error?: JsonRpcErrorObject;
  /** What it told on the way, when the question carried a progress token. */
  readonly progress?: readonly JsonObject[];
}

/** What came back, under the names of the questions. */
export type Replies = Readonly<Record<string, Reply>>;

/** How questions are asked. */
export interface AskOptions {
  /** Legacy: on the stream of the request's own answer, or outside of it. @default "stream" */
  readonly where?: "stream" | "session";
  /** Asks also for what the client did not declare: what a server must not do, and a gateway must not let happen. */
  readonly force?: boolean;
  /** Modern: gives no `requestState` and needs none. */
  readonly stateless?: boolean;
}

/**
 * Asks the client, in the way of its era: with requests of our own (legacy), or with an answer that asks back (modern).
 * @throws CannotAsk when nothing can carry the questions, or a legacy client declared no capability for them; RpcFailure
 *   −32021 when a modern one did not; InputRequired when the answers have to come with a retry of the request
 */
export type Ask = (questions: Questions, options?: AskOptions) => Promise<Replies>;

/** The method that asks a question of each kind, the same in both eras. */
export const METHOD_OF = {
  elicitation: "elicitation/create",
  sampling: "sampling/createMessage",
  roots: "roots/list",
} as const satisfies Record<QuestionKind, string>;

/** Whether `value` is the name of a kind. */
export const isQuestionKind = (value: unknown): value is QuestionKind =>
  (QUESTION_KINDS as readonly unknown[]).includes(value);

/**
 * What a client would have to declare for these questions and did not, in the form of `ClientCapabilities`.
 * @returns `undefined` when it declared everything
 */
export function missingCapabilities(questions: readonly Question[], declared: JsonObject): JsonObject | undefined {
  const missing: Record<string, JsonObject> = {};
  for (const question of questions) {
    const detail = detailOf(question);
    const has = declared[question.kind];
    if (isJsonObject(has) && (detail === undefined || offers(has, detail))) continue;
    // What is declared for forms by saying nothing more is required by saying nothing more.
    const silent = detail === undefined || (detail === "form" && has === undefined);
    missing[question.kind] = { ...missing[question.kind], ...(silent ? {} : { [detail]: {} }) };
  }
  return Object.keys(missing).length === 0 ? undefined : missing;
}

/** The part of a capability that a question needs besides the capability itself; clients without `form` mean it (elicitation, Capabilities). */
function detailOf({ kind, params }: Question): string | undefined {
  if (kind === "elicitation") return params["mode"] === "url" ? "url" : "form";
  return kind === "sampling" && params["tools"] !== undefined ? "tools" : undefined;
}

const offers = (capability: JsonObject, detail: string): boolean =>
  capability[detail] !== undefined || (detail === "form" && capability["url"] === undefined);

const ACTIONS: ReadonlySet<unknown> = new Set(["accept", "decline", "cancel"]);

/** Whether `value` can be the answer to such a question: as much as tells it from a mix-up. */
export function isAnswerTo(kind: QuestionKind, value: JsonValue | undefined): value is JsonObject {
  if (!isJsonObject(value)) return false;
  if (kind === "elicitation") return ACTIONS.has(value["action"]);
  if (kind === "sampling") return typeof value["role"] === "string" && typeof value["content"] === "object";
  return Array.isArray(value["roots"]);
}
