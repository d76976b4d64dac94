import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import {
  META,
  metaOf,
  type JsonObject,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
} from "@cortex-os/mcp-core/wire";
import type { FixtureServerOptions } from "../fixture-server-options.js";
import { FixtureServer } from "../fixture-server.js";
import { parseMessage } from "../http/body.js";
import type { ServedEra } from "../http/start-fixture-http.js";
import { InFlight } from "../in-flight.js";
import { LegacyPeer, WHOLE_CHANNEL } from "../legacy-peer.js";
import { modernCaller, refuseInitialize } from "../modern-caller.js";
import { notification } from "../notification.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import { SharedExchange } from "../shared-exchange.js";
import { LineReader } from "./line-reader.js";

/** Options of {@link serveFixtureStdio}. */
export interface FixtureStdioOptions extends FixtureServerOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** @default "both" */
  readonly era?: ServedEra;
}

/**
 * Serves one client over a pair of streams, a JSON-RPC message a line, in both eras.
 *
 * `output` carries nothing but messages. Reading pauses while the client does not take what is written.
 * @returns once `input` has ended, or `output` broke, and the last answers are written. Never rejects.
 */
export async function serveFixtureStdio(options: FixtureStdioOptions): Promise<void> {
  const pipe = new StdioPipe(options);
  await pipe.served();
}

const immediate = promisify(setImmediate);

class StdioPipe {
  readonly #server: FixtureServer;
  readonly #era: ServedEra;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #inFlight = new InFlight();
  readonly #pending = new Set<Promise<void>>();
  readonly #peer: LegacyPeer;

  constructor(options: FixtureStdioOptions) {
    this.#server = new FixtureServer(options);
    this.#peer = new LegacyPeer(this.#server, (message) => {
      this.#write(message);
    });
    this.#era = options.era ?? "both";
    this.#input = options.input;
    this.#output = options.output;
  }

  async served(): Promise<void> {
    const lines = new LineReader((line) => {
      this.#receive(line);
    });
    const stopListening = this.#server.offer.changes.on((change) => {
      const told = this.#peer.notificationOf(change);
      if (told !== undefined) this.#write(told);
    });
    await new Promise<void>((resolve) => {
      this.#input.on("data", (chunk: Buffer) => {
        lines.push(chunk);
      });
      for (const event of ["end", "close", "error"]) this.#input.once(event, resolve);
      for (const event of ["close", "error"]) this.#output.once(event, resolve);
      // A client that is gone breaks the pipe once more for every message still on its way.
      this.#output.on("error", () => {});
    });
    stopListening();
    // Whatever needs no waiting is answered first: `printf … | server` is a fair way to ask.
    await immediate();
    this.#inFlight.shutDown();
    await Promise.all(this.#pending);
  }

  #receive(line: Buffer): void {
    const message = parseMessage(line);
    if (message.kind === "request") this.#start(message.message);
    else if (message.kind === "notification") this.#notified(message.message);
    else if (message.kind === "unreadable") this.#refuse(new RpcFailure(CODE.parseError, "The line is not JSON"));
    else if (message.kind === "invalid") this.#refuse(new RpcFailure(CODE.invalidRequest, message.reason), message.id);
    else this.#peer.answered(message.message);
  }

  #refuse(failure: RpcFailure, id?: string | number): void {
    const error = failure.toErrorObject();
    this.#write(id === undefined ? { jsonrpc: "2.0", error } : { jsonrpc: "2.0", id, error });
  }

  #notified(received: JsonRpcNotification): void {
    if (received.method === "notifications/cancelled") this.#inFlight.cancel(received.params?.["requestId"]);
    else this.#peer.receive(received);
  }

  #start(request: JsonRpcRequest): void {
    const handled = this.#handle(request).finally(() => {
      this.#pending.delete(handled);
    });
    this.#pending.add(handled);
  }

  async #handle(request: JsonRpcRequest): Promise<void> {
    const exchange = new SharedExchange((message) => {
      this.#write(message);
    });
    const answer = await this.#inFlight.during(request.id, exchange.scope, async () =>
      this.#server.answer(request, exchange, () => this.#result(request, exchange)),
    );
    if (answer === undefined) return;
    this.#write(answer.message);
    // On a shared pipe the end of a subscription is told this way as well (2026-07-28, cancellation).
    if (request.method === "subscriptions/listen" && "result" in answer.message) {
      this.#write(notification("notifications/cancelled", { requestId: request.id, reason: "the server stops" }));
    }
  }

  /** How the client opens tells its era (versioning, Backward Compatibility); both may go on at once. */
  async #result(request: JsonRpcRequest, exchange: SharedExchange): Promise<JsonObject> {
    const named = metaOf(request.params)?.[META.protocolVersion] !== undefined;
    if (this.#era === "modern" || (this.#era === "both" && (named || !this.#isLegacy(request)))) {
      if (request.method === "initialize" && !named) throw refuseInitialize(request);
      return await this.#server.modern(request, modernCaller(request, {}), exchange, WHOLE_CHANNEL);
    }
    return await this.#peer.result(request, exchange, {});
  }

  #isLegacy({ method }: JsonRpcRequest): boolean {
    return this.#peer.opened || method === "initialize" || method === "ping";
  }

  #write(message: JsonRpcMessage): void {
    if (!this.#output.writable) return;
    if (this.#output.write(`${JSON.stringify(message)}\n`) || this.#input.isPaused()) return;
    this.#input.pause();
    this.#output.once("drain", () => this.#input.resume());
  }
}
