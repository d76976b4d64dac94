import type { ServerResponse } from "node:http";
import type { Timers } from "@cortex-os/mcp-core";
import { encodeSseMessage } from "@cortex-os/mcp-core/wire";
import { isAside, primer, whole } from "./event-bytes.js";
import { EventLog, type EventLogLimits, type EventMemory, type Forgettable } from "./event-log.js";
import { SseResponse, type SseDeps } from "./sse-response.js";
import type { StreamIds } from "./stream-ids.js";

/** How long event streams live without their client, and with it. */
export interface StreamPolicy {
  /** A stream whose client is gone waits so many milliseconds for it to come back. @default 60_000 */
  readonly keepMs: number;
  /**
   * After so many milliseconds the gateway itself ends a connection on which a call still waits, and lets the client come back; 0: never. Only for clients that know of it (from
   * 2025-11-25 on). @default 0
   */
  readonly maxConnectionMs: number;
}

/** {@link StreamPolicy}'s defaults. */
export const DEFAULT_STREAM_POLICY: StreamPolicy = { keepMs: 60_000, maxConnectionMs: 0 };

/** What the event streams of one session share. */
export interface ClientStreamDeps {
  readonly sse: SseDeps;
  readonly timers: Timers;
  readonly policy: StreamPolicy;
  readonly ids: StreamIds;
  readonly memory: EventMemory;
  readonly limits: EventLogLimits;
  /** Whether the client knows of events that have an id and no data. */
  readonly isPrimed: boolean;
  /** Whether a client that was sent away could come back. */
  readonly isAccepting: () => boolean;
}

/** Whose answers a stream brings. */
export interface StreamOwner {
  /** Its reader caught up, or is gone: what was held back may come. */
  resume(): void;
  /** Nobody will read the rest. */
  giveUp(reason: string): void;
}

/** How a client goes on with a stream: `resumed`; nothing will follow (`complete`); or some of what followed is not known any more (`gone`). */
export type Resumed = "resumed" | "complete" | "gone";

/** What clients are asked to wait before they come back, in milliseconds, unless an upstream asks for something else. */
export const RETRY_MS = 1_000;
/** How long a complete stream is kept for a client that lost its end on the way, in milliseconds. */
const COMPLETE_MS = 10_000;
/** What a call costs that goes on without its client's connection: those are counted already. */
const AWAY_BYTES = 8 * 1024;
const DISCONNECTED = "the client disconnected";
const CROWDED = "too many calls wait for clients that are away";

/**
 * The event stream that answers a POST, over as many connections as it takes (2025-11-25, Transports, Resumability and Redelivery): every event has an id and
 * is held for a while, so that a client whose connection broke goes on where it was.
 */
export class ClientStream implements Forgettable {
  readonly #deps: ClientStreamDeps;
  readonly #number: number;
  /** Absent once it is complete: what was asked need not be held with what was answered. */
  #owner: StreamOwner | undefined;
  readonly #onForgotten: () => void;
  readonly #log: EventLog;
  /** Up to which event it was written to a connection, be it arrived or not. */
  #written = 0;
  /** The connection in force; none while the client is away. */
  #reader: SseResponse | undefined;
  /** The connection that was in force last. */
  #last: SseResponse | undefined;
  #isBlocked = false;
  #hasEnded = false;
  #isForgotten = false;
  /** Whether it costs what a call does that has no connection. */
  #isAway = false;
  #cancelSlow: () => void = () => {};
  #cancelWait: () => void = () => {};
  #cancelLimit: () => void = () => {};
  #whenBack: () => void = () => {};
  /** What the client was asked to wait before it comes back. */
  #retryMs = 0;

  /** @param onForgotten called once, when nobody can come back to it any more */
  constructor(number: number, deps: ClientStreamDeps, owner: StreamOwner, onForgotten: () => void) {
    this.#number = number;
    this.#deps = deps;
    this.#owner = owner;
    this.#onForgotten = onForgotten;
    this.#log = new EventLog(deps.memory, deps.limits.streamBytes);
  }

  /** Begins on the response to the POST. @param maxWaitingBytes as in {@link SseDeps} */
  open(response: ServerResponse, maxWaitingBytes?: number): void {
    const { sse } = this.#deps;
    this.#attach(response, maxWaitingBytes === undefined ? sse : { ...sse, maxWaitingBytes });
    this.#prime(0, RETRY_MS);
  }

  /** Goes on after `position` on another connection, which takes the place of the one before: the client may know sooner than we that it broke. */
  resume(response: ServerResponse, position: number): Resumed {
    const missed = this.#log.since(position);
    if (missed === undefined) return "gone";
    if (this.#hasEnded && missed.length === 0) return "complete";
    // Its client has left it: what it still has to deliver would hold it for as long as the network likes.
    this.#reader?.cutOff();
    const reader = this.#attach(response, this.#deps.sse);
    // Where the client is already: some lose their place when a connection breaks before its first event.
    this.#prime(position, RETRY_MS);
    for (const event of missed) reader.event(this.#head(event.position), event.bytes);
    this.#written = this.#log.last;
    if (this.#hasEnded) reader.end();
    else {
      const { timers, policy, isPrimed } = this.#deps;
      if (isPrimed && policy.maxConnectionMs > 0)
        this.#cancelLimit = timers.after(policy.maxConnectionMs, () => this.sendAway());
      // The upstream may wait for the connection that is gone.
      this.#unblock();
      const whenBack = this.#whenBack;
      this.#whenBack = () => {};
      whenBack();
    }
    return "resumed";
  }

  /** @returns false when the message cannot be encoded, because an upstream nested it too deeply: nothing was sent */
  send(message: object): boolean {
    let text: string;
    try {
      text = encodeSseMessage(message);
    } catch {
      return false;
    }
    this.#event(Buffer.from(text));
    return true;
  }

  /** Sends one whole event or comment that is encoded already. @returns false when the reader is behind: wait for {@link StreamOwner.resume} */
  pass(bytes: Uint8Array): boolean {
    // A comment, or what is left of a line break, is no event and needs no second telling.
    if (isAside(bytes)) this.#reader?.pass(bytes);
    else this.#event(whole(bytes));
    const reader = this.#reader;
    if (reader?.isBehind !== true) return true;
    if (this.#isBlocked) return false;
    this.#isBlocked = true;
    const { timers, sse } = this.#deps;
    this.#cancelSlow = timers.after(sse.slowReaderMs, () => reader.cutOff());
    return false;
  }

  /** Ends the client's connection and lets it come back for the rest, where it knows how to and could. @param whenBack called when it does */
  sendAway(retryMs = RETRY_MS, whenBack: () => void = () => {}): void {
    const { isPrimed, isAccepting } = this.#deps;
    if (this.#hasEnded || !isPrimed || !isAccepting()) return;
    this.#whenBack = whenBack;
    const reader = this.#reader;
    // It is away already.
    if (reader === undefined) return;
    this.#prime(this.#log.last, retryMs);
    reader.end();
    this.#retryMs = retryMs;
    this.#leave();
  }

  /** All was said. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#owner = undefined;
    this.#whenBack = () => {};
    this.#cancelLimit();
    this.#back();
    this.#deps.memory.mayForget(this);
    this.#reader?.end();
  }

  /** To be called when the connection was gone before the stream began. */
  lost(): void {
    if (this.#last !== undefined) this.#closed(this.#last);
  }

  forget(): void {
    if (this.#isForgotten) return;
    this.#isForgotten = true;
    this.#cancelWait();
    this.#cancelLimit();
    this.#back();
    this.#deps.memory.forgotten(this);
    this.#log.clear();
    this.#onForgotten();
  }

  #attach(response: ServerResponse, sse: SseDeps): SseResponse {
    this.#cancelWait();
    this.#cancelLimit();
    this.#cancelSlow();
    this.#back();
    this.#retryMs = 0;
    const reader = new SseResponse(response, sse);
    this.#reader = reader;
    this.#last = reader;
    response.on("drain", () => {
      if (this.#reader === reader) this.#unblock();
    });
    response.once("close", () => {
      this.#closed(reader);
    });
    return reader;
  }

  /** A connection is gone; only the last one counts. */
  #closed(reader: SseResponse): void {
    if (reader !== this.#last || this.#isForgotten) return;
    this.#last = undefined;
    if (this.#hasEnded) {
      this.#reader = undefined;
      this.#cancelSlow();
      this.#wait(Math.min(COMPLETE_MS, this.#deps.policy.keepMs));
    } else this.#leave();
  }

  /** The client has no connection any more: it is waited for, if anything tells it where to go on. */
  #leave(): void {
    this.#reader = undefined;
    this.#cancelLimit();
    if (this.#log.last === 0 && !this.#deps.isPrimed) this.#giveUp(DISCONNECTED);
    else if (!this.#isAway && !this.#deps.memory.take(AWAY_BYTES)) this.#giveUp(CROWDED);
    else {
      this.#isAway = true;
      this.#wait(this.#deps.policy.keepMs + this.#retryMs);
      this.#unblock();
    }
  }

  /** It costs no more than what it remembers: its client is there, or nothing waits for it. */
  #back(): void {
    if (this.#isAway) this.#deps.memory.give(AWAY_BYTES);
    this.#isAway = false;
  }

  #wait(ms: number): void {
    this.#cancelWait();
    this.#cancelWait = this.#deps.timers.after(ms, () => {
      if (this.#hasEnded) this.forget();
      else this.#giveUp(DISCONNECTED);
    });
  }

  #unblock(): void {
    this.#cancelSlow();
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#owner?.resume();
  }

  #giveUp(reason: string): void {
    const owner = this.#owner;
    this.#hasEnded = true;
    this.#owner = undefined;
    this.#cancelSlow();
    this.forget();
    owner?.giveUp(reason);
  }

  #event(bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    const reader = this.#reader;
    const isHeld = this.#log.add(bytes, reader === undefined ? this.#written + 1 : Infinity);
    if (reader === undefined) {
      if (!isHeld) this.#giveUp("the client left more unread than is kept for it");
      return;
    }
    this.#written = this.#log.last;
    reader.event(this.#head(this.#written), bytes);
  }

  #prime(position: number, retryMs: number): void {
    if (this.#deps.isPrimed) this.#reader?.event(this.#head(position), primer(retryMs));
  }

  #head(position: number): string {
    return `id: ${this.#deps.ids.of({ stream: this.#number, position })}\n`;
  }
}
