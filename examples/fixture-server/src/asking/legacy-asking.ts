import type { JsonObject, JsonRpcMessage } from "@cortex-os/mcp-core/wire";
import type { Exchange } from "../exchange.js";
import type { Asked } from "./asked.js";
import { CannotAsk } from "./cannot-ask.js";
import { missingCapabilities, type Ask, type Reply } from "./question.js";

/** What asking within one legacy request takes. */
export interface LegacyAsking {
  /** The client's open questions. */
  readonly asked: Asked;
  readonly declared: JsonObject;
  readonly exchange: Exchange;
  /** Sends a message to the client outside of every request: `false` when there is no stream for it. */
  readonly push: (message: JsonRpcMessage) => boolean;
}

/** Asking within one legacy request: each question is a request of our own, all of them at once (2025-11-25, client features). */
export function legacyAsk({ asked, declared, exchange, push }: LegacyAsking): Ask {
  return async (questions, { where = "stream", force = false } = {}) => {
    const missing = force ? undefined : missingCapabilities(Object.values(questions), declared);
    if (missing !== undefined) throw new CannotAsk(`it did not declare ${JSON.stringify(missing)}`);
    const send = where === "stream" ? (message: JsonRpcMessage) => exchange.ask(message) : push;
    const entries = Object.entries(questions).map(async ([key, question]): Promise<[string, Reply]> => {
      const reply = await asked.ask(question, send, exchange.scope.signal);
      if (reply === undefined) throw new CannotAsk("there is no stream to it");
      return [key, reply];
    });
    return Object.fromEntries(await Promise.all(entries));
  };
}
