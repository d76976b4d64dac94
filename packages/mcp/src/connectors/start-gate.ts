import type { Timers } from "@cortex-os/mcp-core";
import type { StartWidth } from "./start-width.js";

/** How connectors start, and how long a list waits meanwhile (design.md, contracts: Starting). */
export interface StartupPolicy {
  /** How many connectors start at a time. @default "adaptive" */
  readonly width: StartWidth;
  /** Milliseconds that the others get once the first connector is up. @default 2_000 */
  readonly graceMs: number;
  /** Longest wait in milliseconds altogether. @default 20_000 */
  readonly maxMs: number;
}

/** {@link StartupPolicy}'s defaults. */
export const DEFAULT_STARTUP: StartupPolicy = { width: "adaptive", graceMs: 2_000, maxMs: 20_000 };

/**
 * Holds back lists and look-ups until the catalog is worth reading: a list that is empty because we are starting gets cached by clients
 * for weeks. Opens once and stays open.
 */
export class StartGate {
  #policy: StartupPolicy;
  readonly #timers: Timers;
  readonly #waiting = new Set<() => void>();
  #cancelMax: (() => void) | undefined;
  #cancelGrace: (() => void) | undefined;
  #open = false;

  constructor(policy: StartupPolicy, timers: Timers) {
    this.#policy = policy;
    this.#timers = timers;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** For waits that begin from now on. */
  reconfigure(policy: StartupPolicy): void {
    this.#policy = policy;
  }

  /** Begins the longest wait. Idempotent. */
  start(): void {
    if (this.#open || this.#cancelMax !== undefined) return;
    this.#cancelMax = this.#timers.after(this.#policy.maxMs, () => {
      this.open();
    });
  }

  /** A connector is up: the others get the grace and no more. */
  firstUp(): void {
    if (this.#open || this.#cancelGrace !== undefined) return;
    this.#cancelGrace = this.#timers.after(this.#policy.graceMs, () => {
      this.open();
    });
  }

  /** Nothing is worth waiting for any more: every connector has settled, or we are closing. */
  open(): void {
    if (this.#open) return;
    this.#open = true;
    this.#cancelMax?.();
    this.#cancelGrace?.();
    for (const task of [...this.#waiting]) task();
    this.#waiting.clear();
  }

  /**
   * Runs `task` now when open, else as soon as it opens.
   * @returns a function that forgets the task
   */
  whenOpen(task: () => void): () => void {
    if (this.#open) {
      task();
      return () => {};
    }
    this.#waiting.add(task);
    return () => void this.#waiting.delete(task);
  }
}
