import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { METHOD_OF, type Questions } from "./question.js";

/** The way out of a handler that cannot go on without answers: its request is answered with the questions (mrtr). */
export class InputRequired extends Error {
  override readonly name = "InputRequired";
  readonly questions: Questions;
  readonly requestState: string | undefined;

  constructor(questions: Questions, requestState: string | undefined) {
    super("input required");
    this.questions = questions;
    this.requestState = requestState;
  }

  /** The members of an `InputRequiredResult`. */
  toResult(): JsonObject {
    const inputRequests: Record<string, JsonObject> = {};
    for (const [key, { kind, params }] of Object.entries(this.questions)) {
      inputRequests[key] = { method: METHOD_OF[kind], params };
    }
    const { requestState } = this;
    return { resultType: "input_required", inputRequests, ...(requestState === undefined ? {} : { requestState }) };
  }
}
