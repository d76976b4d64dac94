import { finished, type Readable, type Writable } from "node:stream";
import { MessageLines } from "@cortex-os/mcp";
import { LineReader } from "@cortex-os/mcp-bridge";
import { toJsonRpcError, type Logger, type Timers } from "@cortex-os/mcp-core";
import { userError } from "../user-error.js";
import { ConversationBook } from "./conversation-book.js";
import type { Expected, GatewayFinder, GatewayLink } from "./gateway-link.js";
import { SilenceWatch } from "./silence-watch.js";

/** What a {@link Relay} works through. */
export interface RelayOptions {
  /** What the client writes. */
  readonly input: Readable;
  /** What the client reads. */
  readonly output: Writable;
  readonly finder: GatewayFinder;
  /** Longest message that the client may send, in bytes. */
  readonly maxMessageBytes: number;
  readonly logger: Logger;
  readonly timers: Timers;
}

/** How many bytes of messages wait while there is no gateway; the client waits with the rest. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Longest message of a gateway: longer than it holds of any upstream. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * Carries one client's stdio to the gateway of this home, and to the next one when that is gone: the client's session, its subscriptions and what can be asked again
 * go along, so that it notices as little as can be.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #book = new ConversationBook();
  readonly #over = new AbortController();
  readonly #lines: MessageLines;
  /** The client's messages that no gateway was there for. */
  #waiting: string[] = [];
  #waitingBytes = 0;
  #link: GatewayLink | undefined;
  /** Of the link. */
  #silence: SilenceWatch | undefined;

  constructor(options: RelayOptions) {
    const { input, output, maxMessageBytes } = options;
    this.#options = options;
    this.#lines = new MessageLines(maxMessageBytes, {
      onLine: (line) => {
        this.#fromClient(line);
      },
      onTooLong: (refusal, id) => {
        this.#toClient(JSON.stringify({ jsonrpc: "2.0", id, error: toJsonRpcError(refusal) }));
      },
    });
    input.on("data", this.#onData);
    for (const stream of [input, output])
      finished(stream, { readable: stream === input, writable: stream === output }, this.#onGone);
    output.on("drain", () => this.#link?.fromGateway.resume());
  }

  /** The client is there. */
  get isClientThere(): boolean {
    return !this.#over.signal.aborted;
  }

  /**
   * Relays until the client is gone or {@link end} is called.
   * @throws what `finder` throws; GatewayError USER_INPUT when a new gateway did not take the session over
   */
  async run(): Promise<void> {
    const { finder, logger } = this.#options;
    const { signal } = this.#over;
    let expected: Expected = "anyone";
    for (let round = 0; this.isClientThere; round += 1) {
      let link: GatewayLink;
      try {
        link = await finder.find(expected, signal);
      } catch (error) {
        if (!this.isClientThere) return;
        throw error;
      }
      if (round > 0) logger.info({}, "Went on with the next gateway");
      await this.#through(link);
      const { saidFarewell, hasSuccessor } = this.#book;
      expected = hasSuccessor ? "successor" : saidFarewell && link.hasUrl ? "itself" : "anyone";
      for (const failure of this.#book.lost()) this.#toClient(failure);
      if (this.#book.refusal !== undefined)
        throw userError(`the next gateway did not take the session over: ${this.#book.refusal}`);
      if (this.isClientThere) logger.info({ inOrder: saidFarewell }, "The gateway is gone; looking for the next one");
    }
  }

  /** Tells the client that its subscriptions are closed, and ends. */
  end(): void {
    if (!this.isClientThere) return;
    for (const goodbye of this.#book.goodbyes()) this.#toClient(goodbye);
    this.#onGone();
  }

  /** Uses a link until it is gone, or the client is. */
  async #through(link: GatewayLink): Promise<void> {
    const { toGateway, fromGateway } = link;
    const lines = new LineReader(MAX_ANSWER_BYTES, (line, isCut) => {
      if (isCut) this.#options.logger.error({}, "The gateway sent a message that is too long to be passed on");
      else this.#fromGateway(line.toString(), link);
    });
    const gone = new Promise<void>((resolve) => {
      finished(fromGateway, { writable: false }, () => {
        resolve();
      });
      this.#over.signal.addEventListener("abort", () => resolve(), { once: true });
      if (!this.isClientThere) resolve();
    });
    // Whether it can still be written to shows where it is read.
    toGateway.on("error", () => {});
    toGateway.on("drain", () => this.#options.input.resume());
    const { timers, logger } = this.#options;
    const silence = new SilenceWatch({ link, timers, logger, isWaiting: () => this.#book.isWaiting });
    fromGateway.on("data", (chunk: Buffer) => {
      silence.heard();
      lines.push(chunk);
    });
    const { toGateway: first, toClient: missed } = this.#book.replay();
    for (const line of first) toGateway.write(`${line}\n`);
    this.#link = link;
    this.#silence = silence;
    if (this.#book.isWaiting) silence.asked();
    this.#sendWaiting();
    for (const line of missed) this.#toClient(line);
    await gone;
    silence.end();
    this.#link = undefined;
    link.close();
  }

  #fromClient(line: string): void {
    if (this.#link?.toGateway.writable === true) this.#toGateway(line, this.#link);
    else this.#keep(line);
  }

  #fromGateway(line: string, link: GatewayLink): void {
    if (!this.isClientThere) return;
    for (const message of this.#book.heard(line)) this.#toClient(message);
    // Without its session the client's next requests would all fail, and it would not know why.
    if (this.#book.refusal !== undefined) link.close();
  }

  #toGateway(line: string, { toGateway }: GatewayLink): void {
    this.#book.sent(line);
    if (this.#book.isWaiting) this.#silence?.asked();
    const goesOn = toGateway.write(`${line}\n`, (error) => {
      if (error instanceof Error) this.#book.unsent(line);
    });
    if (!goesOn) this.#options.input.pause();
  }

  #keep(line: string): void {
    this.#waiting.push(line);
    this.#waitingBytes += Buffer.byteLength(line);
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#options.input.pause();
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#options.input.resume();
    for (const line of waiting) this.#fromClient(line);
  }

  #toClient(line: string): void {
    const { output } = this.#options;
    if (output.writable && !output.write(`${line}\n`)) this.#link?.fromGateway.pause();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#lines.push(chunk);
  };

  readonly #onGone = (): void => {
    this.#options.input.off("data", this.#onData);
    this.#over.abort();
  };
}
