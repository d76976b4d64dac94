import type { Monotonic } from "@cortex-os/mcp-core";

/** `open`: the publisher is not asked; `half-open`: the next attempt is a probe that closes it or opens it again. */
export type CircuitState = "closed" | "open" | "half-open";

/** When a circuit opens, and for how long. */
export interface CircuitPolicy {
  /** So many failures in a row open it. */
  readonly failures: number;
  /** How long it is open the first time, in milliseconds; it doubles with each probe that fails. */
  readonly coolMs: number;
  readonly maxCoolMs: number;
}

/** 3 failures, then 10, 20, 40, 60, 60… seconds. */
const DEFAULT_CIRCUIT: CircuitPolicy = { failures: 3, coolMs: 10_000, maxCoolMs: 60_000 };

/** Leaves a publisher alone that fails again and again (R6). It counts; that only one attempt runs at a time is the caller's care. */
export class RefreshCircuit {
  readonly #monotonic: Monotonic;
  readonly #policy: CircuitPolicy;
  #failures = 0;
  #openUntilMs = Number.NEGATIVE_INFINITY;
  #nextCoolMs: number;

  constructor(monotonic: Monotonic, policy: CircuitPolicy = DEFAULT_CIRCUIT) {
    this.#monotonic = monotonic;
    this.#policy = policy;
    this.#nextCoolMs = policy.coolMs;
  }

  get state(): CircuitState {
    if (this.#failures < this.#policy.failures) return "closed";
    return this.retryInMs > 0 ? "open" : "half-open";
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds until it stops being open; 0 when it is not. */
  get retryInMs(): number {
    return Math.max(0, this.#openUntilMs - this.#monotonic.elapsedMs());
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntilMs = Number.NEGATIVE_INFINITY;
    this.#nextCoolMs = this.#policy.coolMs;
  }

  failed(): void {
    // A person may try while it is open: that must not keep the gateway from trying by itself when it would have.
    if (this.state === "open") return;
    this.#failures += 1;
    if (this.#failures < this.#policy.failures) return;
    this.#openUntilMs = this.#monotonic.elapsedMs() + this.#nextCoolMs;
    this.#nextCoolMs = Math.min(this.#nextCoolMs * 2, this.#policy.maxCoolMs);
  }
}
