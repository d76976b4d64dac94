import { systemClock, systemTimers, type Timers } from "@cortex-os/mcp-core";
import { META, MODERN_REVISIONS, type JsonObject, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { InputRequired } from "./asking/input-required.js";
import { modernAsk } from "./asking/modern-asking.js";
import type { Ask } from "./asking/question.js";
import { RequestStates } from "./asking/request-state.js";
import type { Caller } from "./caller.js";
import type { Answer, ChannelFeatures, Exchange } from "./exchange.js";
import type { Call, Outcome } from "./features/feature.js";
import { listen } from "./features/subscription.js";
import type { FixtureServerOptions } from "./fixture-server-options.js";
import { legacyRevisions, type LegacyRevisions } from "./legacy-revisions.js";
import { Offer } from "./offer.js";
import { CODE, RpcFailure } from "./rpc-failure.js";
import { sleep } from "./sleep.js";

const VERSION = "1.0.0";
const INSTRUCTIONS =
  "A server for examples and tests: every tool does exactly what its name says, and nothing is kept.";

/** What the server does with one request, whatever transport and era it came by. */
export class FixtureServer {
  readonly offer: Offer;
  /** The legacy revisions it speaks. */
  readonly revisions: LegacyRevisions;
  readonly #serverInfo: { readonly name: string; readonly version: string };
  readonly #delayMs: number;
  readonly #listDelayMs: number;
  readonly #ttlMs: number;
  readonly #timers: Timers;
  readonly #states: RequestStates;

  constructor(options: FixtureServerOptions = {}) {
    const name = options.name ?? "cortex-fixture";
    this.revisions = legacyRevisions(options.revision);
    this.#serverInfo = { name, version: VERSION };
    this.#delayMs = options.delayMs ?? 0;
    this.#listDelayMs = options.listDelayMs ?? 0;
    this.#ttlMs = options.ttlMs ?? 60_000;
    this.#timers = options.timers ?? systemTimers;
    this.#states = new RequestStates(options.clock ?? systemClock);
    this.offer = new Offer(options, name, this.#ttlMs, this.#timers);
  }

  /**
   * Answers `request` with what `work` gives or fails with, after the configured delay. Never rejects.
   * @returns `undefined` when the request was cancelled meanwhile: nothing may be sent for it any more
   */
  async answer(
    request: JsonRpcRequest,
    { scope }: Exchange,
    work: () => JsonObject | Promise<JsonObject>,
  ): Promise<Answer | undefined> {
    const { id } = request;
    try {
      const delayMs = this.#delayMs + (request.method === "tools/list" ? this.#listDelayMs : 0);
      if (delayMs > 0) await sleep(this.#timers, delayMs, scope.signal);
      if (scope.cancelled) return undefined;
      const result = await work();
      return scope.cancelled ? undefined : { message: { jsonrpc: "2.0", id, result }, httpStatus: 200 };
    } catch (error) {
      if (scope.cancelled) return undefined;
      const failure = error instanceof RpcFailure ? error : new RpcFailure(CODE.internalError, "Internal error");
      return { message: { jsonrpc: "2.0", id, error: failure.toErrorObject() }, httpStatus: failure.httpStatus };
    }
  }

  /**
   * The result of a modern request whose metadata has been checked.
   * @throws RpcFailure −32601 with HTTP status 404 for a method it does not implement, −32602 for wrong parameters
   */
  async modern(
    request: JsonRpcRequest,
    caller: Caller,
    exchange: Exchange,
    channel: ChannelFeatures,
  ): Promise<JsonObject> {
    if (request.method === "server/discover") return this.#discover(channel);
    const ask = modernAsk(request, caller.clientCapabilities, this.#states);
    const call = { request, params: request.params ?? {}, caller: this.#heard(caller), exchange, ask };
    if (request.method === "subscriptions/listen" && channel.changes) {
      await listen(call, this.offer.changes, this.offer);
      return this.#complete({}, { [META.subscriptionId]: request.id });
    }
    try {
      const { result, caching } = await this.#outcome(call);
      return this.#complete({ ...result, ...caching });
    } catch (error) {
      if (error instanceof InputRequired) return this.#complete(error.toResult());
      throw error;
    }
  }

  /**
   * The result of a legacy request other than those that change its session.
   * @throws RpcFailure −32601 for a method it does not implement, −32602 for wrong parameters
   */
  async legacy(request: JsonRpcRequest, caller: Caller, exchange: Exchange, ask: Ask): Promise<JsonObject> {
    if (request.method === "ping") return {};
    const { result } = await this.#outcome({ request, params: request.params ?? {}, caller, exchange, ask });
    return { ...result };
  }

  /** The result of `initialize` that settles on `protocolVersion`. */
  initializeResult(protocolVersion: string, channel: ChannelFeatures): JsonObject {
    return {
      protocolVersion,
      capabilities: this.offer.capabilities(channel),
      serverInfo: this.#serverInfo,
      instructions: INSTRUCTIONS,
    };
  }

  #discover(channel: ChannelFeatures): JsonObject {
    const result: object = {
      supportedVersions: MODERN_REVISIONS,
      capabilities: this.offer.capabilities(channel),
      instructions: INSTRUCTIONS,
      ttlMs: this.#ttlMs,
      cacheScope: "public",
    };
    return this.#complete(result);
  }

  async #outcome(call: Call): Promise<Outcome> {
    const { method } = call.request;
    const answering = this.offer.method(method);
    if (answering === undefined) {
      throw new RpcFailure(CODE.methodNotFound, `Method not found: ${method}`, { httpStatus: 404 });
    }
    return await answering(call);
  }

  /** A server without logging tells nothing, whatever level a request asks for. */
  #heard(caller: Caller): Caller {
    return this.offer.logging ? caller : { ...caller, logLevel: undefined };
  }

  /** What every modern result says besides its own (basic, ResultType and Per-response protocol fields). */
  #complete(result: object & { readonly _meta?: JsonObject }, meta: JsonObject = {}): JsonObject {
    const all = { ...result._meta, ...meta, [META.serverInfo]: this.#serverInfo };
    return { resultType: "complete", ...result, _meta: all };
  }
}
