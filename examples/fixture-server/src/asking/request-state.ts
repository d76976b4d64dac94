import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { CODE, RpcFailure } from "../rpc-failure.js";

/** How long a person may think. */
const LIFETIME_MS = 10 * 60_000;

/**
 * Writes and reads `requestState`: what a request knows already, signed, since it passes through the client. A state holds for
 * ten minutes and for a request of the same method and parameters (mrtr, Server Requirements). Every server has a key of its own.
 */
export class RequestStates {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The state that carries these `answers` to the next try of `request`. */
  write(request: JsonRpcRequest, answers: JsonObject): string {
    const state = { for: digestOf(request), until: this.#clock.now() + LIFETIME_MS, answers };
    const payload = Buffer.from(JSON.stringify(state)).toString("base64url");
    return `${payload}.${this.#sign(payload)}`;
  }

  /**
   * The answers that came before.
   * @throws RpcFailure −32602 when the state was changed, is not for this request, or is too old
   */
  read(request: JsonRpcRequest, state: unknown): JsonObject {
    const content = typeof state === "string" ? this.#verified(state) : undefined;
    if (content === undefined) throw refused("it is not as this server gave it");
    if (content["for"] !== digestOf(request)) throw refused("it belongs to another request");
    const { until, answers } = content;
    if (typeof until !== "number" || until <= this.#clock.now()) throw refused("it has expired");
    return isJsonObject(answers) ? answers : {};
  }

  #verified(state: string): JsonObject | undefined {
    const [payload = "", signature = ""] = state.split(".", 2);
    const expected = this.#sign(payload);
    // Compared as text: Base64 has more than one spelling for the same bytes.
    if (state !== `${payload}.${signature}` || signature.length !== expected.length) return undefined;
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return undefined;
    const content: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return isJsonObject(content) ? content : undefined;
  }

  #sign(payload: string): string {
    return createHmac("sha256", this.#key).update(payload).digest("base64url");
  }
}

/** What must be the same when the request is tried again; the order of members may be another one. */
function digestOf({ method, params = {} }: JsonRpcRequest): string {
  const { name, uri, arguments: args } = params;
  const text = JSON.stringify([method, name, uri, args], (_key, value: unknown) =>
    isJsonObject(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
  return createHash("sha256").update(text).digest("base64url");
}

const refused = (why: string): RpcFailure => new RpcFailure(CODE.invalidParams, `requestState is refused: ${why}`);
