import { GatewayError, type Timers } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject, type JsonRpcErrorObject, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { OpenQuestions, type QuestionRoute } from "../asking/open-questions.js";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import { addresseeOf } from "./addressee.js";
import type { Channel } from "./channel.js";
import type { ClientCall } from "./client-call.js";
import type { LaneOwner } from "./lane-logs.js";

/** Most elicitations of which it is remembered whose they are; of the oldest one the end is told to nobody then. */
const MAX_ELICITATIONS = 1_000;
/** Longest id of one, in UTF-16 units; the end of others is told to nobody. */
const MAX_ELICITATION_ID = 1_024;
/** The error that names elicitations which have to be completed first (2025-11-25, Elicitation). */
const URL_ELICITATION_REQUIRED = -32_042;

/** What {@link LaneQuestions} work through. */
export interface LaneQuestionsDeps {
  readonly timers: Timers;
  readonly channel: Channel;
  readonly owner: LaneOwner;
  /** How long a client may take to answer, in milliseconds. */
  readonly maxMs: number;
  /** The calls under way, in the order in which they began. */
  readonly inFlight: () => readonly ClientCall[];
  /** Puts a question to a client outside of its calls; see `LinkEvents`. */
  readonly askSession: (sessionKey: string, question: UpstreamQuestion) => AskedQuestion | undefined;
  /** Several clients could have been meant. */
  readonly onAmbiguous: () => void;
}

/** What a legacy peer asks back on a channel, and whose it is. */
export class LaneQuestions {
  readonly #deps: LaneQuestionsDeps;
  readonly #open: OpenQuestions;
  /** Whose the elicitations are whose end the peer will tell, by its ids; of a peer that several clients share. */
  readonly #elicitations = new Map<string, string>();

  constructor(deps: LaneQuestionsDeps) {
    const { channel, maxMs, timers } = deps;
    this.#deps = deps;
    this.#open = new OpenQuestions({ timers, maxMs, reply: (message) => channel.send(message) });
  }

  /** How many wait for an answer. */
  get size(): number {
    return this.#open.size;
  }

  /** @param bytes its length */
  take(request: JsonRpcRequest, bytes: number): void {
    const { inFlight, onAmbiguous, owner } = this.#deps;
    const addressee = addresseeOf(request, owner, inFlight());
    if (addressee.kind === "ambiguous") {
      this.#open.refuse(request.id, addressee.error);
      onAmbiguous();
    } else if (addressee.kind === "refused") this.#open.refuse(request.id, addressee.error);
    else if (addressee.kind === "call") {
      const { call } = addressee;
      this.#note(request.params, call.call.caller.sessionKey);
      this.#open.relay(request, { ask: (question) => call.ask(question), owner: call, hold: () => call.hold() }, bytes);
    } else {
      this.#note(request.params, addressee.sessionKey);
      this.#open.relay(request, this.#toSession(addressee.sessionKey, addressee.calls), bytes);
    }
  }

  /** The peer needs an answer no more. */
  withdrawn(params: JsonObject | undefined): void {
    this.#open.withdrawn(params);
  }

  /** A call was answered or given up, and with it what was asked because of it. */
  settled(call: ClientCall): void {
    if (this.#open.size > 0)
      this.#open.endOf(call, new GatewayError("CANCELLED", "The call that this was asked for is over"));
  }

  /** A call is answered with an error: elicitations that it names are its client's. */
  answeredWith(error: JsonRpcErrorObject, { call }: ClientCall): void {
    if (error.code !== URL_ELICITATION_REQUIRED) return;
    const { elicitations } = isJsonObject(error.data) ? error.data : {};
    if (!Array.isArray(elicitations)) return;
    for (const elicitation of elicitations)
      if (isJsonObject(elicitation)) this.#note(elicitation, call.caller.sessionKey);
  }

  /** Whose elicitation has been completed, if that is known; it is told once. */
  completed(params: JsonObject | undefined): string | undefined {
    const id = params?.["elicitationId"];
    if (typeof id !== "string") return undefined;
    const sessionKey = this.#elicitations.get(id);
    this.#elicitations.delete(id);
    return sessionKey;
  }

  /** The peer is gone, or about to be. */
  endAll(error: GatewayError): void {
    this.#open.endAll(error);
  }

  /** On the stream of the latest of the session's calls that has one, or else outside of them. */
  #toSession(sessionKey: string, calls: readonly ClientCall[]): QuestionRoute {
    return {
      ask: (question) => {
        for (const call of calls.toReversed()) {
          const asked = call.ask(question);
          if (asked !== undefined) return asked;
        }
        return this.#deps.askSession(sessionKey, question);
      },
      hold: () => {
        const releases = calls.map((call) => call.hold());
        return () => {
          for (const release of releases) release();
        };
      },
    };
  }

  #note(params: JsonObject | undefined, sessionKey: string | undefined): void {
    const id = params?.["elicitationId"];
    if (typeof id !== "string" || id.length > MAX_ELICITATION_ID) return;
    if (sessionKey === undefined || this.#deps.owner.kind === "session") return;
    this.#elicitations.delete(id);
    this.#elicitations.set(id, sessionKey);
    const [oldest] = this.#elicitations.keys();
    if (this.#elicitations.size > MAX_ELICITATIONS && oldest !== undefined) this.#elicitations.delete(oldest);
  }
}
