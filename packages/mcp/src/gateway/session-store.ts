import { randomBytes } from "node:crypto";
import { GatewayError, type Monotonic, type Timers } from "@cortex-os/mcp-core";
import type { Caller } from "@cortex-os/mcp-bridge";
import { ClientSession } from "./client-session.js";
import type { Scope } from "./scope.js";

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
  /** The last in it, unless that has ended. */
  #latest: ClientSession | undefined;
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
    const { monotonic, timers } = this.#deps;
    const id = randomBytes(32).toString("base64url");
    const session = new ClientSession(id, scope, { ...caller, sessionKey: id }, monotonic.elapsedMs(), timers);
    this.#sessions.set(id, session);
    this.#latest = session;
    this.#sweepLater();
    return session;
  }

  /** The living session of that id, which counts as used by this. In every other scope than its own it is unknown. */
  use(id: string, scope: Scope): ClientSession | undefined {
    const session = this.#sessions.get(id);
    if (session?.scope !== scope) return undefined;
    session.lastUsedMs = this.#deps.monotonic.elapsedMs();
    // Moving it costs the table behind the map something; a client that calls on and on is the last already.
    if (session !== this.#latest) {
      this.#latest = session;
      this.#sessions.delete(id);
      this.#sessions.set(id, session);
    }
    return session;
  }

  /** Ends one session. Unknown ids are fine. */
  end(id: string, reason: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    if (session === this.#latest) this.#latest = undefined;
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
