import type { Caller } from "../runtime/exchange.js";
import type { LegacySession } from "./legacy-session.js";

/** Most sessions kept for principals; they never say goodbye, so the one unused for longest makes room. */
const MAX_PRINCIPALS = 256;

/** Whose session is which: one per client session, one per principal for clients without, none shared by strangers (design.md, decision 6). */
export class SessionBook {
  readonly #create: (caller: Caller) => LegacySession;
  readonly #ofClients = new Map<string, LegacySession>();
  readonly #ofPrincipals = new Map<string, LegacySession>();

  constructor(create: (caller: Caller) => LegacySession) {
    this.#create = create;
  }

  get size(): number {
    return this.#ofClients.size + this.#ofPrincipals.size;
  }

  /** The caller's session, possibly not yet open. */
  of(caller: Caller): LegacySession {
    const { sessionKey } = caller;
    if (sessionKey === undefined) return this.#ofPrincipal(caller);
    let session = this.#ofClients.get(sessionKey);
    if (session === undefined) {
      session = this.#create(caller);
      this.#ofClients.set(sessionKey, session);
    }
    return session;
  }

  /** The session of a client, possibly not open; absent for one that has called nothing. */
  find(sessionKey: string): LegacySession | undefined {
    return this.#ofClients.get(sessionKey);
  }

  /** The client session ended: its upstream session ends as well. */
  end(sessionKey: string): void {
    const session = this.#ofClients.get(sessionKey);
    this.#ofClients.delete(sessionKey);
    void session?.close();
  }

  /** Ends all of them; resolves when the upstream has answered to each. */
  async endAll(): Promise<void> {
    const sessions = [...this.#ofClients.values(), ...this.#ofPrincipals.values()];
    this.#ofClients.clear();
    this.#ofPrincipals.clear();
    await Promise.all(sessions.map((session) => session.close()));
  }

  #ofPrincipal(caller: Caller): LegacySession {
    const { principal } = caller;
    const session = this.#ofPrincipals.get(principal) ?? this.#create(caller);
    // A map keeps the order of insertion: the last is the most recently used.
    this.#ofPrincipals.delete(principal);
    this.#ofPrincipals.set(principal, session);
    if (this.#ofPrincipals.size > MAX_PRINCIPALS) this.#evict(session);
    return session;
  }

  /** Ends one that nobody uses and that is not about to be used; when all are in use there are more for a while. */
  #evict(wanted: LegacySession): void {
    for (const [principal, session] of this.#ofPrincipals) {
      if (session === wanted || session.inFlight > 0) continue;
      this.#ofPrincipals.delete(principal);
      void session.close();
      return;
    }
  }
}
