import type { ServerResponse } from "node:http";
import type { JsonRpcMessage } from "@cortex-os/mcp-core/wire";
import { EventStream, type EventStreamDeps } from "./event-stream.js";
import type { MessageStream } from "./message-stream.js";
import { ResumableStream } from "./resumable-stream.js";

/** Streams of a session that are kept though they are over, or nobody listens on them: the newest. */
const MAX_IDLE = 16;
const EVENT_ID = /^(?<stream>\d{1,9})-(?<event>\d{1,9})$/;

/** The event streams of one legacy session: those it listens on (GET), and those of its requests when they are resumable. */
export class SessionStreams {
  readonly #deps: EventStreamDeps;
  readonly #isResumable: boolean;
  readonly #resumable = new Map<number, ResumableStream>();
  /** The streams the client listens on, each by its connection, oldest first. */
  readonly #listening = new Map<ServerResponse, MessageStream>();
  /** The stream the client listened on last: what is sent while it is away is kept there. */
  #left: MessageStream | undefined;
  #lastNumber = 0;
  #connections = 0;

  constructor(deps: EventStreamDeps, isResumable: boolean) {
    this.#deps = deps;
    this.#isResumable = isResumable;
  }

  /** GET requests that are open. */
  get connections(): number {
    return this.#connections;
  }

  /** Opens a stream for the client to listen on. */
  listen(res: ServerResponse): void {
    if (this.#isResumable) this.#goOn(this.#open(true), res);
    else this.#hold(new EventStream(res, this.#deps), res);
  }

  /**
   * Goes on with the stream that has the event of this id, from behind it.
   * @returns whether there is such a stream and nothing of it is lost
   */
  resume(res: ServerResponse, eventId: string): boolean {
    const { stream: number, event } = EVENT_ID.exec(eventId)?.groups ?? {};
    const stream = this.#resumable.get(Number(number));
    if (stream?.canResume(Number(event)) !== true) return false;
    this.#goOn(stream, res, Number(event));
    return true;
  }

  /** What opens a stream for the answer to one request; `undefined` when it is an ordinary one that goes with its connection. */
  opener(res: ServerResponse): (() => ResumableStream) | undefined {
    if (!this.#isResumable) return undefined;
    return () => {
      const stream = this.#open(false);
      stream.connect(res);
      return stream;
    };
  }

  /** Sends on one stream only: on the one the client listens on since last. @returns whether there is one */
  send(message: JsonRpcMessage): boolean {
    const stream = [...this.#listening.values()].at(-1) ?? this.#left;
    stream?.send(message);
    return stream !== undefined;
  }

  /** Ends every stream. */
  end(): void {
    for (const stream of [...this.#listening.values(), ...this.#resumable.values()]) stream.end();
  }

  #open(standalone: boolean): ResumableStream {
    this.#lastNumber += 1;
    const stream = new ResumableStream(this.#lastNumber, this.#deps, standalone, () => {
      this.#forget();
    });
    this.#resumable.set(this.#lastNumber, stream);
    this.#forget();
    return stream;
  }

  #goOn(stream: ResumableStream, res: ServerResponse, after?: number): void {
    if (stream.standalone) {
      this.#left = stream;
      this.#hold(stream, res);
    } else this.#count(res);
    stream.connect(res, after);
  }

  /** Listens on the stream while `res` is open. */
  #hold(stream: MessageStream, res: ServerResponse): void {
    this.#count(res);
    this.#listening.set(res, stream);
    res.once("close", () => {
      this.#listening.delete(res);
    });
  }

  #count(res: ServerResponse): void {
    this.#connections += 1;
    res.once("close", () => {
      this.#connections -= 1;
    });
  }

  /** Lets go of streams that nobody is likely to come back for, the oldest. */
  #forget(): void {
    const used = new Set([this.#left, ...this.#listening.values()]);
    const idle = [...this.#resumable].filter(([, stream]) => stream.ended || (stream.standalone && !used.has(stream)));
    for (const [number] of idle.slice(0, -MAX_IDLE)) this.#resumable.delete(number);
  }
}
