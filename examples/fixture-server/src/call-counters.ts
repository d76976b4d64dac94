/** What became of the tool calls so far. Calls of `cancelled`, the tool that reads them, are left out. */
export interface CallCounts {
  readonly started: number;
  /** Handlers that ran to their end, also with `isError`. */
  readonly completed: number;
  /** Handlers that stopped because the client gave the call up. */
  readonly cancelled: number;
  readonly inFlight: number;
}

/** Counts tool calls. */
export class CallCounters implements CallCounts {
  #started = 0;
  #completed = 0;
  #cancelled = 0;

  get started(): number {
    return this.#started;
  }

  get completed(): number {
    return this.#completed;
  }

  get cancelled(): number {
    return this.#cancelled;
  }

  get inFlight(): number {
    return this.#started - this.#completed - this.#cancelled;
  }

  start(): void {
    this.#started += 1;
  }

  finish(cancelled: boolean): void {
    if (cancelled) this.#cancelled += 1;
    else this.#completed += 1;
  }

  /** The counts at this moment. */
  snapshot(): { started: number; completed: number; cancelled: number; inFlight: number } {
    return { started: this.started, completed: this.completed, cancelled: this.cancelled, inFlight: this.inFlight };
  }
}
