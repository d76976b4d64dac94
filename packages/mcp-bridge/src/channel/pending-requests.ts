import type { GatewayError, Monotonic, Timers } from "@cortex-os/mcp-core";
import type { PendingRequest, Receiver, RequestBounds } from "./channel.js";
import type { OutgoingRequest, QueuedLine } from "./queued-line.js";

/** What a {@link Pending} asks of its channel. */
export interface PendingHost {
  withdraw(id: number, reason: string | undefined): void;
  forget(id: number): void;
  fail(id: number, error: GatewayError): void;
  restart(request: Pending): void;
}

/** One request under way on a channel: all that is known of it, and the hands that its owner has on it. */
export class Pending implements PendingRequest, OutgoingRequest {
  readonly id: number;
  readonly method: string;
  readonly receiver: Receiver;
  readonly bounds: RequestBounds;
  readonly #host: PendingHost;
  queued: QueuedLine | undefined;
  /** When silence has lasted too long, by the stopwatch. */
  idleAtMs = Infinity;
  /** When all of it has lasted too long. */
  maxAtMs = Infinity;
  /** How many reasons there are to expect silence. */
  holds = 0;

  constructor(id: number, method: string, receiver: Receiver, bounds: RequestBounds, host: PendingHost) {
    this.id = id;
    this.method = method;
    this.receiver = receiver;
    this.bounds = bounds;
    this.#host = host;
  }

  /** When it is given up, whichever limit it is. */
  get dueMs(): number {
    return Math.min(this.idleAtMs, this.maxAtMs);
  }

  cancel(reason?: string): void {
    this.#host.withdraw(this.id, reason);
  }

  forget(): void {
    this.#host.forget(this.id);
  }

  fail(error: GatewayError): void {
    this.#host.fail(this.id, error);
  }

  hold(): () => void {
    this.holds += 1;
    this.idleAtMs = Infinity;
    return () => {
      this.holds -= 1;
      this.#host.restart(this);
    };
  }
}

/** What {@link PendingRequests} measure and wait by. */
export interface PendingRequestsDeps {
  readonly timers: Timers;
  readonly monotonic: Monotonic;
  /** So much time was too much for it. It is still under way. */
  readonly onExpired: (request: Pending, limitMs: number) => void;
}

const FIRST_SIZE = 16;

const emptySlots = (size: number): (Pending | undefined)[] => Array.from({ length: size });

/**
 * The requests under way on one channel, by their ids, and one timer for all their limits.
 *
 * Ids rise, so a request's place is its id modulo the size of the table: nothing is made or thrown away per request, as a `Map` would. An id whose place is taken by a
 * request that lasts is left out. The timer is set for the request that is due first, and is not moved when that one is answered: then it finds nothing, and is set anew.
 */
export class PendingRequests {
  readonly #deps: PendingRequestsDeps;
  #slots = emptySlots(FIRST_SIZE);
  #size = 0;
  /** Those of them that have a limit. */
  #limited = 0;
  #lastId = 0;
  #timerAtMs = Infinity;
  #cancelTimer: () => void = () => {};

  constructor(deps: PendingRequestsDeps) {
    this.#deps = deps;
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** In the order of their ids; a snapshot. */
  all(): Pending[] {
    const all = this.#slots.filter((request) => request !== undefined);
    return all.toSorted((one, other) => one.id - other.id);
  }

  /** The id of the next one. */
  nextId(): number {
    if (2 * this.#size >= this.#slots.length) this.#grow();
    do this.#lastId += 1;
    while (this.#at(this.#lastId) !== undefined);
    return this.#lastId;
  }

  /** Takes in a request with the id that {@link nextId} gave last; its limits begin. */
  add(request: Pending): void {
    this.#slots[request.id & (this.#slots.length - 1)] = request;
    this.#size += 1;
    const { idleMs, maxMs } = request.bounds;
    if (idleMs === undefined && maxMs === undefined) return;
    this.#limited += 1;
    const nowMs = this.#deps.monotonic.elapsedMs();
    if (maxMs !== undefined) request.maxAtMs = nowMs + maxMs;
    if (idleMs !== undefined) request.idleAtMs = nowMs + idleMs;
    this.#wakeFor(request, nowMs);
  }

  get(id: unknown): Pending | undefined {
    if (typeof id !== "number") return undefined;
    const request = this.#at(id);
    return request?.id === id ? request : undefined;
  }

  /** Lets one go. */
  take(id: unknown): Pending | undefined {
    const request = this.get(id);
    if (request === undefined) return undefined;
    this.#slots[request.id & (this.#slots.length - 1)] = undefined;
    this.#size -= 1;
    if (request.bounds.idleMs === undefined && request.bounds.maxMs === undefined) return request;
    this.#limited -= 1;
    if (this.#limited === 0) this.#rest();
    return request;
  }

  /** Something was heard of it: the limit on silence begins anew, unless silence is as it should be. */
  restart(request: Pending): void {
    const { idleMs } = request.bounds;
    if (idleMs === undefined || request.holds > 0 || this.get(request.id) !== request) return;
    const nowMs = this.#deps.monotonic.elapsedMs();
    request.idleAtMs = nowMs + idleMs;
    this.#wakeFor(request, nowMs);
  }

  #at(id: number): Pending | undefined {
    return this.#slots[id & (this.#slots.length - 1)];
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = emptySlots(2 * before.length);
    for (const request of before)
      if (request !== undefined) this.#slots[request.id & (this.#slots.length - 1)] = request;
  }

  #wakeFor({ dueMs }: Pending, nowMs: number): void {
    if (dueMs >= this.#timerAtMs) return;
    this.#cancelTimer();
    this.#timerAtMs = dueMs;
    this.#cancelTimer = this.#deps.timers.after(dueMs - nowMs, this.#onTimer);
  }

  #rest(): void {
    this.#cancelTimer();
    this.#timerAtMs = Infinity;
  }

  readonly #onTimer = (): void => {
    this.#timerAtMs = Infinity;
    const { monotonic, onExpired } = this.#deps;
    const nowMs = monotonic.elapsedMs();
    for (const request of this.all()) {
      if (this.get(request.id) !== request) continue;
      if (request.dueMs > nowMs) {
        this.#wakeFor(request, nowMs);
        continue;
      }
      const { idleMs = 0, maxMs = 0 } = request.bounds;
      onExpired(request, request.idleAtMs <= nowMs ? idleMs : maxMs);
    }
  };
}
