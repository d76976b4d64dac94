import { GatewayError, type GatewayErrorCode, type Monotonic } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import { Channel } from "../channel/channel.js";
import type { LanePeer, PeerEvents } from "../channel/lane.js";
import { ask, type AskOptions } from "../channel/own-request.js";
import { redactorOf } from "../redact.js";
import { Child, type ChildOptions } from "./child.js";

/** What to start, and how. */
export interface PeerSettings extends Omit<ChildOptions, "onLine" | "onFirstSound" | "onEnd"> {
  readonly monotonic: Monotonic;
}

/** One child process that speaks JSON-RPC. */
export class Peer implements LanePeer {
  readonly channel: Channel;
  /** Resolves when the child first writes anything: it has begun to run. */
  readonly firstSound: Promise<void>;
  #child: Child | undefined;
  #lost: GatewayError | undefined;
  readonly #connectorId: string;
  readonly #events: PeerEvents;

  /** @throws GatewayError as {@link Child.start} does, the connector named */
  static async start(settings: PeerSettings, events: PeerEvents): Promise<Peer> {
    const { promise, resolve } = withResolvers();
    const peer = new Peer(settings, events, promise);
    try {
      peer.#child = await Child.start({
        ...settings,
        onLine: (line, cut) => {
          if (cut) peer.#onLineTooLong(settings.maxLineBytes);
          else if (peer.#lost === undefined) peer.channel.acceptLine(line);
        },
        onFirstSound: resolve,
        onEnd: (reason, detail) => {
          peer.#lose(peer.failure("UPSTREAM_UNAVAILABLE", reason, detail));
        },
      });
    } catch (error) {
      throw GatewayError.is(error) ? peer.failure(error.code, error.message) : error;
    }
    return peer;
  }

  private constructor(settings: PeerSettings, events: PeerEvents, firstSound: Promise<void>) {
    const { connectorId, logger, monotonic, timers, env } = settings;
    this.#connectorId = connectorId;
    this.#events = events;
    this.firstSound = firstSound;
    this.channel = new Channel({
      connectorId,
      timers,
      monotonic,
      logger,
      output: "stdout",
      redact: redactorOf(Object.values(env)),
      write: (line) => this.#child?.write(line),
      onNotification: (notification) => {
        events.onNotification(notification);
      },
      onRequest: (request, bytes) => {
        events.onRequest(request, bytes);
      },
    });
  }

  /** Why it serves no more; `undefined` while it does. */
  get lost(): GatewayError | undefined {
    return this.#lost;
  }

  /** The last line it wrote to stderr, redacted and short; empty when there was none. */
  get lastLine(): string {
    return this.#child?.lastLine ?? "";
  }

  /** The id of its process group. */
  get group(): number | undefined {
    return this.#child?.group;
  }

  /**
   * Sends a request of the gateway's own.
   *
   * @returns the answer, an error of the peer's being one
   * @throws GatewayError as the function `ask`
   */
  ask(method: string, params: JsonObject, options?: AskOptions): Promise<JsonRpcResponse> {
    return ask(this.channel, method, params, options);
  }

  /** Serves no more: requests under way fail with `error`, and nothing is heard of it again. `stop` remains to be called. */
  retire(error: GatewayError): void {
    this.#lost ??= error;
    this.channel.failAll(error);
  }

  /** Ends the process; see {@link Child.stop}. Requests under way fail. */
  async stop(now = false): Promise<void> {
    this.retire(this.failure("UPSTREAM_UNAVAILABLE", "it was stopped"));
    await this.#child?.stop(now);
  }

  #onLineTooLong(maxBytes: number): void {
    // At once: what floods its output would only be read on and on.
    this.#lose(this.failure("UPSTREAM_LIMIT", `it wrote a message longer than ${maxBytes} bytes`), true);
  }

  #lose(error: GatewayError, now = false): void {
    if (this.#lost !== undefined) return;
    this.retire(error);
    void this.#child?.stop(now);
    this.#events.onLost(error);
  }

  /** An error that names the connector. */
  failure(code: GatewayErrorCode, what: string, detail?: string): GatewayError {
    const message = `Connector ${JSON.stringify(this.#connectorId)}: ${what}`;
    return new GatewayError(code, message, detail === undefined ? {} : { detail });
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
