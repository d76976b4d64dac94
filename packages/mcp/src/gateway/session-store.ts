import { randomBytes } from "node:crypto";
import { GatewayError, type Monotonic, type Timers } from "@cortex-os/mcp-core";
import type { Caller } from "@cortex-os/mcp-bridge";
import type { JsonRpcNotification, RequestId } from "@cortex-os/mcp-core/wire";

/** A way to the client outside of any request: its GET stream. */
export interface NotificationStream {
  notify(notification: JsonRpcNotification): void;
  end(): void;
}

/** One legacy client between `initialize` and its end. */
export class ClientSession {
  readonly id: string;
  readonly caller: Caller;
  /** How to cancel what is under way, by the client's request id. */
  readonly inFlight = new Map<RequestId, (reason?: string) => void>();
  lastUsedMs: number;
  #stream: NotificationStream | undefined;
  #missedToolsChange = false;

  constructor(id: string, caller: Caller, nowMs: number) {
    this.id = id;
    this.caller = caller;
    this.lastUsedMs = nowMs;
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
    if (this.#missedToolsChange) this.toolsChanged();
    return true;
  }

  /** The stream is gone; only the stream in force can end the listening. */
  unlisten(stream: NotificationStream): void {
    if (this.#stream === stream) this.#stream = undefined;
  }

  /** Tells the client now, or when it next opens its stream. */
  toolsChanged(): void {
    this.#missedToolsChange = this.#stream === undefined;
    this.#stream?.notify({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
  }

  /** Closes the stream; what is under way goes on. */
  endStream(): void {
    this.#stream?.end();
    this.#stream = undefined;
  }

  /** Cancels what is under way and closes the stream. */
  end(reason: string): void {
    for (const cancel of [...this.inFlight.values()]) cancel(reason);
    this.inFlight.clear();
    this.endStream();
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
  create(caller: Omit<Caller, "sessionKey">): ClientSession {
    if (this.#sessions.size >= this.#deps.limits.maxSessions) this.#makeRoom();
    const id = randomBytes(32).toString("base64url");
    const session = new ClientSession(id, { ...caller, sessionKey: id }, this.#deps.monotonic.elapsedMs());
    this.#sessions.set(id, session);
    this.#sweepLater();
    return session;
  }

  /** The living session of that id, which counts as used by this. */
  use(id: string): ClientSession | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
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

  /** Tells every session that the tools changed. */
  toolsChanged(): void {
    for (const session of this.#sessions.values()) session.toolsChanged();
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
