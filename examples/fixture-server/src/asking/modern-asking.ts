import { isJsonObject, type JsonObject, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { CODE, RpcFailure } from "../rpc-failure.js";
import { InputRequired } from "./input-required.js";
import {
  isAnswerTo,
  missingCapabilities,
  type Ask,
  type AskOptions,
  type Questions,
  type Replies,
} from "./question.js";
import type { RequestStates } from "./request-state.js";

/**
 * Asking within one modern request: what was answered before, with this try or an earlier one, is there at once; everything
 * else ends the request (2026-07-28, mrtr).
 *
 * Answers count only beside the `requestState` that asked for them, unless the question is `stateless`.
 */
export function modernAsk(request: JsonRpcRequest, declared: JsonObject, states: RequestStates): Ask {
  /** What was answered so far, also to questions of this try that were asked before. */
  let given: JsonObject = {};
  const ask = (questions: Questions, { force = false, stateless = false }: AskOptions = {}): Replies => {
    const missing = force ? undefined : missingCapabilities(Object.values(questions), declared);
    if (missing !== undefined) throw capabilityMissing(missing);
    const { requestState, inputResponses } = request.params ?? {};
    const before = requestState === undefined ? undefined : states.read(request, requestState);
    const now = responsesOf(inputResponses);
    const answers: Record<string, JsonObject> = {};
    for (const [key, { kind }] of Object.entries(questions)) {
      const answer = given[key] ?? before?.[key] ?? (before !== undefined || stateless ? now[key] : undefined);
      if (answer === undefined) continue;
      if (!isAnswerTo(kind, answer)) throw invalid(`inputResponses["${key}"] is no answer to ${kind}`);
      answers[key] = answer;
    }
    given = { ...given, ...answers };
    const open = Object.entries(questions).filter(([key]) => answers[key] === undefined);
    if (open.length > 0) {
      const state = stateless ? undefined : states.write(request, given);
      throw new InputRequired(Object.fromEntries(open), state);
    }
    return Object.fromEntries(Object.entries(answers).map(([key, answer]) => [key, { answer }]));
  };
  return async (questions, options) => ask(questions, options);
}

function responsesOf(inputResponses: JsonObject[string]): JsonObject {
  if (inputResponses === undefined) return {};
  if (!isJsonObject(inputResponses)) throw invalid("inputResponses must be an object");
  return inputResponses;
}

const invalid = (message: string): RpcFailure => new RpcFailure(CODE.invalidParams, message);

/** −32021 with what would be needed (basic, Error Codes). */
const capabilityMissing = (requiredCapabilities: JsonObject): RpcFailure =>
  new RpcFailure(CODE.capabilityMissing, `The client did not declare ${namesOf(requiredCapabilities)}`, {
    data: { requiredCapabilities },
    httpStatus: 400,
  });

const namesOf = (capabilities: JsonObject): string => Object.keys(capabilities).join(", ");
