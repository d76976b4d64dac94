import type { GatewayError, Timers } from "@cortex-os/mcp-core";

interface Entry {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: GatewayError) => void;
  readonly cancel: () => void;
}

/** Who waits for an upstream to agree to something, by the name of it, and not for ever. */
export class Waiting {
  readonly #timers: Timers;
  readonly #maxMs: number;
  readonly #onExpired: (name: string) => void;
  readonly #entries = new Map<string, Entry>();

  /** @param onExpired called when one has waited for `maxMs`: settling it is the listener's to do */
  constructor(timers: Timers, maxMs: number, onExpired: (name: string) => void) {
    this.#timers = timers;
    this.#maxMs = maxMs;
    this.#onExpired = onExpired;
  }

  /** Waits; those who wait for the same thing wait together. */
  add(name: string): Promise<void> {
    const known = this.#entries.get(name);
    if (known !== undefined) return known.promise;
    let settle: Pick<Entry, "resolve" | "reject"> = { resolve: () => {}, reject: () => {} };
    const promise = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const cancel = this.#timers.after(this.#maxMs, () => this.#onExpired(name));
    this.#entries.set(name, { promise, ...settle, cancel });
    return promise;
  }

  /** @returns whether somebody waited */
  settle(name: string, error?: GatewayError): boolean {
    const entry = this.#entries.get(name);
    if (entry === undefined) return false;
    this.#entries.delete(name);
    entry.cancel();
    if (error === undefined) entry.resolve();
    else entry.reject(error);
    return true;
  }

  /** Nothing will come of any of them. */
  failAll(error: GatewayError): void {
    for (const name of [...this.#entries.keys()]) this.settle(name, error);
  }
}
