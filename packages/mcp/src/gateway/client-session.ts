import type { Timers } from "@cortex-os/mcp-core";
import type { AskedQuestion, Caller, UpstreamQuestion } from "@cortex-os/mcp-bridge";
import {
  LIST_CHANGES,
  LIST_KINDS,
  LISTS,
  SERVER_FEATURES,
  type JsonObject,
  type JsonRpcNotification,
  type LogLevel,
  type RequestId,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";
import { ClientQuestions, withdrawal, type MessageToClient, type WayToClient } from "./client-questions.js";
import type { Scope } from "./scope.js";

/** A way to the client outside of any request: its GET stream. */
export interface NotificationStream {
  notify(message: MessageToClient): void;
  end(): void;
}

/** Most notifications that wait for a session's stream; resources that change meanwhile are read again sooner or later anyway. */
const MAX_MISSED = 1_000;
/** Longest URI of such a resource, in UTF-16 units: as long as one in a list may be. */
const MAX_MISSED_URI = 8_192;

/** One legacy client between `initialize` and its end. */
export class ClientSession {
  readonly id: string;
  /** What its client meets. */
  readonly scope: Scope;
  /** How to cancel what is under way, by the client's request id. */
  readonly inFlight = new Map<RequestId, (reason?: string) => void>();
  /** The resources it listens to, by the URI it asked for, and how to end that. */
  readonly watches = new Map<string, () => void>();
  /** What upstreams asked the client. */
  readonly questions: ClientQuestions;
  lastUsedMs: number;
  #caller: Caller;
  #stream: NotificationStream | undefined;
  /** What could not be told for want of a stream, each thing once. */
  readonly #missed = new Map<string, JsonRpcNotification>();
  readonly #atEnd: (() => void)[] = [];
  #hasEnded = false;
  #onIdle: (() => void) | undefined;

  constructor(id: string, scope: Scope, caller: Caller, nowMs: number, timers: Timers) {
    this.id = id;
    this.scope = scope;
    this.#caller = caller;
    this.lastUsedMs = nowMs;
    this.questions = new ClientQuestions({
      timers,
      session: { tell: (message) => this.#tellNow(message) },
      tellWithdrawn: (asked, reason) => this.#tellWithdrawn(asked, reason),
    });
  }

  /** Who calls, with the log level that the session asked for. */
  get caller(): Caller {
    return this.#caller;
  }

  /** From which level on it wants log messages. @default everything that reaches it, as for clients that never say */
  setLogLevel(logLevel: LogLevel): void {
    this.#caller = { ...this.#caller, logLevel };
  }

  /** Whether it is over: what is begun for it now must end at once. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get isListening(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether ending it now would take something away from its client. */
  get isBusy(): boolean {
    return this.inFlight.size > 0 || this.isListening || this.questions.size > 0;
  }

  /**
   * Makes `stream` the session's way out. A second one is refused rather than swapped in: replacing would let somebody who learned the id
   * take a victim's stream (CVE-2026-33946).
   */
  listen(stream: NotificationStream): boolean {
    if (this.#stream !== undefined) return false;
    this.#stream = stream;
    for (const notification of this.#missed.values()) stream.notify(notification);
    this.#missed.clear();
    this.questions.deliver();
    return true;
  }

  /**
   * Puts a question of an upstream's to the client.
   *
   * @param way beside the answer to one of its requests; absent for one outside of any
   * @returns `undefined` when there is no way
   */
  ask(question: UpstreamQuestion, way?: WayToClient): AskedQuestion | undefined {
    return this.#hasEnded ? undefined : this.questions.ask(question, way);
  }

  /** The stream is gone; only the stream in force can end the listening. */
  unlisten(stream: NotificationStream): void {
    if (this.#stream === stream) this.#stream = undefined;
  }

  /** Tells the client now, or when it next opens its stream, that the lists of this feature changed. */
  listChanged(feature: ServerFeature): void {
    const { notification: method } = LIST_CHANGES[feature];
    this.#tell(method, { jsonrpc: "2.0", method });
  }

  /**
   * Tells the client now, or when it next opens its stream, that a resource changed. What waits is which one: whatever else an upstream says of it would be held
   * for as long as the client likes.
   */
  resourceUpdated(params: JsonObject): void {
    const method = "notifications/resources/updated";
    const { uri } = params;
    if (this.#stream !== undefined) this.#stream.notify({ jsonrpc: "2.0", method, params });
    else if (typeof uri === "string" && uri.length <= MAX_MISSED_URI)
      this.#tell(`${method} ${uri}`, { jsonrpc: "2.0", method, params: { uri } });
  }

  /** Tells the client now; what has no stream to go to is lost. */
  notify(notification: JsonRpcNotification): void {
    this.#stream?.notify(notification);
  }

  /** What it was told last may not have arrived: it is told that everything it knows may have changed. */
  mayHaveMissed(): void {
    for (const feature of SERVER_FEATURES) {
      if (LIST_KINDS.some((kind) => LISTS[kind].feature === feature && this.scope.has(kind))) this.listChanged(feature);
    }
    for (const uri of this.watches.keys()) this.resourceUpdated({ uri });
  }

  /** Calls `task` when the session is over. */
  whenEnded(task: () => void): void {
    this.#atEnd.push(task);
  }

  /** A request of its client's is answered, given up or cancelled. */
  answered(id: RequestId): void {
    this.inFlight.delete(id);
    if (this.inFlight.size === 0) this.#onIdle?.();
  }

  /** Calls `task` once nothing of its client's is under way. */
  whenIdle(task: () => void): void {
    if (this.inFlight.size === 0) task();
    else this.#onIdle = task;
  }

  /** Closes the stream; what is under way goes on. */
  endStream(): void {
    this.#stream?.end();
    this.#stream = undefined;
  }

  /** Cancels what is under way, listens to nothing more and closes the stream. */
  end(reason: string): void {
    this.#hasEnded = true;
    for (const endWatch of this.watches.values()) endWatch();
    this.watches.clear();
    for (const cancel of [...this.inFlight.values()]) cancel(reason);
    this.inFlight.clear();
    this.questions.end(reason);
    this.endStream();
    for (const task of this.#atEnd) task();
  }

  #tellNow(message: MessageToClient): boolean {
    this.#stream?.notify(message);
    return this.#stream !== undefined;
  }

  /** Who is away learns it later, or would ask somebody for nothing; the reason, which may be long, is not kept. */
  #tellWithdrawn(asked: RequestId, reason: string | undefined): void {
    if (!this.#tellNow(withdrawal(asked, reason))) this.#tell(`withdrawn ${asked}`, withdrawal(asked));
  }

  #tell(what: string, notification: JsonRpcNotification): void {
    if (this.#stream !== undefined) this.#stream.notify(notification);
    else if (this.#missed.size < MAX_MISSED || this.#missed.has(what)) this.#missed.set(what, notification);
  }
}
