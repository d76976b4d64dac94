import type { IncomingMessage, ServerResponse } from "node:http";
import { META, metaOf, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { Caller } from "../caller.js";
import type { FixtureServer } from "../fixture-server.js";
import { modernCaller, refuseInitialize } from "../modern-caller.js";
import { checkMethodHeaders, checkParamHeaders, checkVersionHeader } from "../modern-headers.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import type { ExchangeFactory } from "./exchange-factory.js";
import type { ReadableMessage } from "./body.js";
import { sendEmpty, sendFailure } from "./reply.js";

/** The modern era over HTTP: every request stands alone. */
export class ModernEndpoint {
  readonly #server: FixtureServer;
  readonly #exchanges: ExchangeFactory;

  constructor(server: FixtureServer, exchanges: ExchangeFactory) {
    this.#server = server;
    this.#exchanges = exchanges;
  }

  async post(message: ReadableMessage, req: IncomingMessage, res: ServerResponse): Promise<void> {
    // The revision defines no notification a client might send, nor headers for one: it is taken and means nothing.
    if (message.kind === "notification") sendEmpty(res, 202);
    else if (message.kind === "request") await this.#request(message.message, req, res);
    else sendFailure(res, 400, new RpcFailure(CODE.invalidRequest, "The body must be one request or notification"));
  }

  async #request(request: JsonRpcRequest, { headers }: IncomingMessage, res: ServerResponse): Promise<void> {
    let caller: Caller;
    try {
      caller = this.#check(request, headers);
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error;
      sendFailure(res, error.httpStatus, error, request.id);
      return;
    }
    const exchange = this.#exchanges.open(res, "modern");
    const features = this.#exchanges.features;
    exchange.finish(
      await this.#server.answer(request, exchange, () => this.#server.modern(request, caller, exchange, features)),
    );
  }

  #check(request: JsonRpcRequest, headers: IncomingMessage["headers"]): Caller {
    // A legacy client opens with it; a request of this revision is one of an unknown method.
    const named = metaOf(request.params)?.[META.protocolVersion] !== undefined;
    if (request.method === "initialize" && !named) throw refuseInitialize(request);
    checkVersionHeader(request, headers);
    const caller = modernCaller(request, headers);
    checkMethodHeaders(request, headers);
    if (request.method !== "tools/call") return caller;
    checkParamHeaders(request, headers, this.#server.offer.tools.mirrored(request.params?.["name"]));
    return caller;
  }
}
