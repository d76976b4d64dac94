import { finished, type Readable, type Writable } from "node:stream";
import type { GatewayError, Logger } from "@cortex-os/mcp-core";
import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { ChannelClient } from "../gateway/channel-client.js";
import type { Gateway } from "../gateway/gateway.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import { FAREWELL, FAREWELL_TO_SUCCESSOR } from "./farewell.js";
import { LineChannel } from "./line-channel.js";
import { MessageLines } from "./message-lines.js";

/** How a client is served over a pair of byte streams. */
export interface StdioOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Longest message that a client may send, in bytes. @default 4 MiB */
  readonly maxMessageBytes?: number;
  /** Ends a drained conversation with {@link FAREWELL}, for a relay that goes on with another gateway. @default false */
  readonly farewell?: boolean;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
}

const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/**
 * One client on a pair of byte streams, a message a line (2026-07-28, stdio). While the client does not read, nothing more of it is read, and upstreams wait: what is
 * held for it stays bounded. The end of its input is its end: its session goes, and what is under way is cancelled.
 */
export class StdioConversation {
  /** Resolves when the conversation is over, however it ended, and nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #options: StdioOptions;
  readonly #client: ChannelClient;
  readonly #lines: MessageLines;
  #draining: Promise<void> | undefined;
  #onEnded: () => void = () => {};
  #isOver = false;

  constructor(gateway: Gateway, options: StdioOptions) {
    const { input, output, metrics, logger, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
    this.#options = options;
    this.ended = new Promise<void>((resolve) => {
      this.#onEnded = resolve;
    });
    const channel = new LineChannel(output, {
      onBehind: (isBehind) => {
        this.#onBehind(isBehind);
      },
      onStuck: () => {
        logger.warn({}, "A client on a stream has stopped reading; its conversation ends");
        this.close();
      },
    });
    this.#client = new ChannelClient({ gateway, channel, metrics, logger });
    this.#lines = new MessageLines(maxMessageBytes, {
      onLine: (line) => void this.#client.receive(Buffer.from(line)),
      onTooLong: (refusal, id) => {
        this.#client.refuse(refusal, id);
      },
    });
    input.on("data", this.#onData);
    finished(input, { writable: false }, () => {
      this.#end("the client closed its input");
    });
    finished(output, { readable: false }, () => {
      this.#end("the client went away");
      this.#onEnded();
    });
  }

  /**
   * Reads no further and resolves when everything that was read is answered and written. Who sent more can be sure that nothing of it was carried out. Wait no
   * longer than you like: {@link shutDown} answers the rest. Idempotent.
   *
   * @param hasSuccessor a relay is told that another gateway is about to take over
   */
  async drain(hasSuccessor = false): Promise<void> {
    this.#draining ??= this.#drain(hasSuccessor ? FAREWELL_TO_SUCCESSOR : FAREWELL);
    await this.#draining;
  }

  /** Answers everything that is under way with `error`. @returns how many requests that were */
  shutDown(error: GatewayError): number {
    return this.#client.shutDown(error);
  }

  /** Ends it at once. Idempotent. */
  close(): void {
    this.#end("the gateway closed the conversation");
    this.#options.output.destroy();
  }

  async #drain(lastWord: JsonRpcNotification): Promise<void> {
    const { input, output, farewell } = this.#options;
    input.off("data", this.#onData).pause();
    await this.#client.idle();
    if (this.#isOver) return;
    if (farewell === true) output.write(`${JSON.stringify(lastWord)}\n`);
    this.#end("the gateway is shutting down");
    await this.ended;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#lines.push(chunk);
  };

  #onBehind(isBehind: boolean): void {
    if (isBehind) this.#options.input.pause();
    else {
      if (this.#draining === undefined) this.#options.input.resume();
      this.#client.resume();
    }
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.end(reason);
    this.#options.input.off("data", this.#onData).resume();
    this.#options.output.end();
  }
}
