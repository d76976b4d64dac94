import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { canBeAsked } from "../asking/client-capabilities.js";
import type { Caller } from "../runtime/exchange.js";

/** What `initialize` agreed on. */
export interface SessionFacts {
  /** The upstream's `Mcp-Session-Id`; absent when it keeps no sessions. */
  readonly id?: string;
  readonly revision: string;
  /** The whole `InitializeResult`. */
  readonly result: JsonObject;
}

type Waiting = (error?: GatewayError) => void;
type State =
  | { readonly kind: "idle" }
  | { readonly kind: "opening"; readonly waiting: Waiting[] }
  | { readonly kind: "open"; readonly facts: SessionFacts }
  | { readonly kind: "closed" };

/** How sessions are opened and ended. */
export interface SessionPorts {
  /** @throws GatewayError when the upstream refuses */
  open(): Promise<SessionFacts>;
  /** Never rejects: an upstream that does not answer to a goodbye is none of the caller's business. */
  end(facts: SessionFacts): Promise<void>;
  closedError(): GatewayError;
  /** It was opened, which may be once more: whatever the one before it was told is forgotten. */
  opened?(): void;
}

/** One session with a legacy upstream: opened on first use, once for all who wait, and again after the upstream forgot it. */
export class LegacySession {
  readonly #ports: SessionPorts;
  /** Calls its owner's uses: what is in use is not evicted. */
  inFlight = 0;
  /** The client whose own it is; absent for one that is the gateway's own, or that a principal's clients share. */
  readonly client: Caller | undefined;
  /** Whether that client can be asked outside of its requests too. */
  readonly isAskable: boolean;
  #state: State = { kind: "idle" };

  /** @param facts of a session that is open already */
  constructor(
    ports: SessionPorts,
    { client, facts }: { readonly client?: Caller; readonly facts?: SessionFacts } = {},
  ) {
    this.#ports = ports;
    this.client = client;
    this.isAskable = client !== undefined && canBeAsked(client);
    if (facts !== undefined) this.#state = { kind: "open", facts };
  }

  /** What was agreed on, when it is open. */
  get facts(): SessionFacts | undefined {
    return this.#state.kind === "open" ? this.#state.facts : undefined;
  }

  /** Calls `done` once it is open (at once, if it is) or with why it could not be opened. A later call tries again. */
  whenOpen(done: Waiting): void {
    const state = this.#state;
    if (state.kind === "open") done();
    else if (state.kind === "closed") done(this.#ports.closedError());
    else if (state.kind === "opening") state.waiting.push(done);
    else this.#open([done]);
  }

  /** Forgets the session with this id, unless it was replaced meanwhile. @returns whether it was the current one */
  lost(id: string): boolean {
    if (this.facts?.id !== id) return false;
    this.#state = { kind: "idle" };
    return true;
  }

  /** Ends it for good, at the upstream too; resolves when the upstream has answered. Idempotent. */
  async close(): Promise<void> {
    const { facts } = this;
    const waiting = this.#state.kind === "opening" ? this.#state.waiting : [];
    this.#state = { kind: "closed" };
    for (const done of waiting) done(this.#ports.closedError());
    if (facts !== undefined) await this.#ports.end(facts);
  }

  #open(waiting: Waiting[]): void {
    const opening: State = { kind: "opening", waiting };
    this.#state = opening;
    void this.#ports.open().then(
      (facts) => {
        // Closed meanwhile: nobody else knows of the session that was just opened.
        if (this.#state !== opening) return this.#ports.end(facts);
        this.#state = { kind: "open", facts };
        this.#ports.opened?.();
        for (const done of waiting) done();
        return undefined;
      },
      (error: GatewayError) => {
        if (this.#state !== opening) return;
        this.#state = { kind: "idle" };
        for (const done of waiting) done(error);
      },
    );
  }
}
