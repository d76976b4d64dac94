import type { ServerResponse } from "node:http";
import { encodeSseMessage } from "@cortex-os/mcp-core/wire";
import type { MessageToClient } from "../gateway/client-questions.js";
import type { ClientSession, NotificationStream } from "../gateway/client-session.js";
import { RETRY_MS, type ClientStreamDeps } from "./client-stream.js";
import { primer } from "./event-bytes.js";
import { EventLog, type Forgettable } from "./event-log.js";
import { SseResponse } from "./sse-response.js";

/** Its number among the session's streams. */
export const STANDING = 0;

/**
 * A session's GET stream: the way for what belongs to no request (2025-11-25, Transports, Listening). It is one stream for as long as the session lives, whatever becomes of its connections. What was
 * said on one that broke is said again to a client that comes back in time; one that comes back later is told that all of it may have changed.
 */
export class StandingStream implements NotificationStream, Forgettable {
  readonly #session: ClientSession;
  readonly #deps: ClientStreamDeps;
  readonly #log: EventLog;
  #reader: SseResponse | undefined;
  #cancelWait: () => void = () => {};

  constructor(session: ClientSession, deps: ClientStreamDeps) {
    this.#session = session;
    this.#deps = deps;
    this.#log = new EventLog(deps.memory, deps.limits.standingBytes);
  }

  /** Opens it, for a client that asks for nothing before. */
  open(response: ServerResponse): void {
    this.#attach(response, this.#log.last);
    this.#session.listen(this);
  }

  /**
   * Goes on after `position` on another connection, which takes the place of the one before.
   * @returns false when there was no such position
   */
  resume(response: ServerResponse, position: number): boolean {
    if (position > this.#log.last) return false;
    const missed = this.#log.since(position);
    this.#reader?.cutOff();
    const reader = this.#attach(response, position);
    for (const event of missed ?? []) reader.event(this.#head(event.position), event.bytes);
    this.#session.listen(this);
    if (missed === undefined) this.#session.mayHaveMissed();
    return true;
  }

  notify(message: MessageToClient): void {
    const reader = this.#reader;
    const bytes = encoded(message);
    if (reader === undefined || bytes === undefined) return;
    this.#deps.memory.mayForget(this);
    this.#log.add(bytes, Infinity);
    reader.event(this.#head(this.#log.last), bytes);
  }

  end(): void {
    this.#reader?.end();
  }

  /** Lets go of what was said. */
  forget(): void {
    this.#cancelWait();
    this.#deps.memory.forgotten(this);
    this.#log.clear();
  }

  #attach(response: ServerResponse, position: number): SseResponse {
    this.#cancelWait();
    const { sse, isPrimed, timers, policy } = this.#deps;
    const reader = new SseResponse(response, sse);
    this.#reader = reader;
    if (isPrimed) reader.event(this.#head(position), primer(RETRY_MS));
    response.once("close", () => {
      if (this.#reader !== reader) return;
      this.#reader = undefined;
      this.#session.unlisten(this);
      if (this.#session.hasEnded) return;
      this.#cancelWait = timers.after(policy.keepMs, () => this.forget());
    });
    return reader;
  }

  #head(position: number): string {
    return `id: ${this.#deps.ids.of({ stream: STANDING, position })}\n`;
  }
}

/** @returns `undefined` for what some upstream nested too deeply */
function encoded(message: object): Uint8Array | undefined {
  try {
    return Buffer.from(encodeSseMessage(message));
  } catch {
    return undefined;
  }
}
