import { randomBytes } from "node:crypto";
import { GatewayError, type Monotonic, type Timers } from "@cortex-os/mcp-core";
import type { Caller } from "@cortex-os/mcp-bridge";
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
import type { Scope } from "./scope.js";

/** A way to the client outside of any request: its GET stream. */
export interface NotificationStream {
  notify(notification: JsonRpcNotification): void;
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
  lastUsedMs: number;
  #caller: Caller;
  #stream: NotificationStream | undefined;
  /** What could not be told for want of a stream, each thing once. */
  readonly #missed = new Map<string, JsonRpcNotification>();
  readonly #atEnd: (() => void)[] = [];
  #hasEnded = false;
  #onIdle: (() => void) | undefined;

  constructor(id: string, scope: Scope, caller: Caller, nowMs: number) {
    this.id = id;
    this.scope = scope;
    this.#caller = caller;
    this.lastUsedMs = nowMs;
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
    return this.inFlight.size > 0 || this.isListening;
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
    return true;
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
    this.endStream();
    for (const task of this.#atEnd) task();
  }

  #tell(what: string, notification: JsonRpcNotification): void {
    if (this.#stream !== undefined) this.#stream.notify(notification);
    else if (this.#missed.size < MAX_MISSED || this.#missed.has(what)) this.#missed.set(what, notification);
  }
}

/** Bounds of the session store. */
export interface SessionLimits {
  /** Most sessions at once; the longest unused makes room. @default 10_000 */
  readonly maxSessions: number;
  /** A session unused for so many milliseconds ends. @default 3_600_000 */
  readonly idleMs: number;
}

/** {@link SessionLimits}' defaults. */
export const DEFAULT_SESSION_LIMITS: SessionLimits = { maxSessions: 10_000, idleMs: 3_600_000 };

/** What the store works through. */
export interface SessionStoreDeps {
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly limits: SessionLimits;
  /** A session ended, for whatever reason. */
  readonly onEnd: (session: ClientSession) => void;
}

const SWEEPS_PER_IDLE_TIME = 10;

/** The legacy era's client sessions, in this process. Ids are 256 random bits: knowing one is having been told it. */
export class SessionStore {
  readonly #deps: SessionStoreDeps;
  /** In order of use, the longest unused first. */
  readonly #sessions = new Map<string, ClientSession>();
  #cancelSweep: (() => void) | undefined;

  constructor(deps: SessionStoreDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** @throws GatewayError LIMITED when every session is in use and there is room for no other */
  create(scope: Scope, caller: Omit<Caller, "sessionKey">): ClientSession {
    if (this.#sessions.size >= this.#deps.limits.maxSessions) this.#makeRoom();
    const id = randomBytes(32).toString("base64url");
    const session = new ClientSession(id, scope, { ...caller, sessionKey: id }, this.#deps.monotonic.elapsedMs());
    this.#sessions.set(id, session);
    this.#sweepLater();
    return session;
  }

  /** The living session of that id, which counts as used by this. In every other scope than its own it is unknown. */
  use(id: string, scope: Scope): ClientSession | undefined {
    const session = this.#sessions.get(id);
    if (session?.scope !== scope) return undefined;
    session.lastUsedMs = this.#deps.monotonic.elapsedMs();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session;
  }

  /** Ends one session. Unknown ids are fine. */
  end(id: string, reason: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    session.end(reason);
    this.#deps.onEnd(session);
  }

  /** Nothing leads to this scope any more: its sessions end, each when what is under way in it has been answered. */
  endScope(scope: Scope, reason: string): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.scope !== scope) continue;
      session.endStream();
      session.whenIdle(() => {
        this.end(session.id, reason);
      });
    }
  }

  /** The living session of that id; it does not count as used by this. */
  find(id: string): ClientSession | undefined {
    return this.#sessions.get(id);
  }

  /** Every living session. */
  all(): Iterable<ClientSession> {
    return this.#sessions.values();
  }

  /** Tells every session of the scope that the lists of this feature changed. */
  listChanged(scope: Scope, feature: ServerFeature): void {
    for (const session of this.#sessions.values()) if (session.scope === scope) session.listChanged(feature);
  }

  /** Closes every session's stream; the sessions and what is under way in them go on. */
  endStreams(): void {
    for (const session of this.#sessions.values()) session.endStream();
  }

  /** Ends every session. Idempotent. */
  endAll(reason: string): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const id of [...this.#sessions.keys()]) this.end(id, reason);
  }

  #makeRoom(): void {
    for (const session of this.#sessions.values()) {
      if (session.isBusy) continue;
      this.end(session.id, "made room for a newer session");
      return;
    }
    const message = `All ${this.#deps.limits.maxSessions} client sessions are in use; try again later`;
    throw new GatewayError("LIMITED", message, { data: { retryAfterMs: 1_000 } });
  }

  #sweepLater(): void {
    if (this.#cancelSweep !== undefined) return;
    const { idleMs } = this.#deps.limits;
    this.#cancelSweep = this.#deps.timers.after(idleMs / SWEEPS_PER_IDLE_TIME, () => {
      this.#cancelSweep = undefined;
      const nowMs = this.#deps.monotonic.elapsedMs();
      const oldest = nowMs - idleMs;
      for (const session of [...this.#sessions.values()]) {
        // What is in use now counts as used: a stream that breaks after hours gets the whole idle time to come back.
        if (session.isBusy) session.lastUsedMs = nowMs;
        else if (session.lastUsedMs <= oldest) this.end(session.id, "unused for too long");
      }
      if (this.#sessions.size > 0) this.#sweepLater();
    });
  }
}
