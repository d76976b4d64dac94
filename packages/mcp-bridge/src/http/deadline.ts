import type { Monotonic, Timers } from "@cortex-os/mcp-core";

/**
 * A limit on silence and a limit on the whole, behind one timer: activity only notes the time, so that a stream of
 * thousands of chunks re-arms nothing.
 */
export class Deadline {
  readonly #timers: Timers;
  readonly #monotonic: Monotonic;
  readonly #idleMs: number;
  readonly #maxMs: number;
  readonly #onExpired: (waitedMs: number) => void;
  readonly #startedMs: number;
  #lastMs: number;
  #cancel: (() => void) | undefined;
  #holds = 0;

  /** @param onExpired called once, with the limit in milliseconds that was reached; not after {@link stop} */
  constructor(
    ports: { readonly timers: Timers; readonly monotonic: Monotonic },
    limits: { readonly idleMs: number; readonly maxMs: number },
    onExpired: (waitedMs: number) => void,
  ) {
    this.#timers = ports.timers;
    this.#monotonic = ports.monotonic;
    this.#idleMs = limits.idleMs;
    this.#maxMs = limits.maxMs;
    this.#onExpired = onExpired;
    this.#startedMs = ports.monotonic.elapsedMs();
    this.#lastMs = this.#startedMs;
    this.#arm(Math.min(limits.idleMs, limits.maxMs));
  }

  /** Something came: the silence begins anew. */
  touch(): void {
    this.#lastMs = this.#monotonic.elapsedMs();
  }

  /** Silence is as it should be, until what is returned is called: then it begins anew. The limit on the whole goes on. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      this.touch();
    };
  }

  /** Ends it; may be called twice. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(delayMs: number): void {
    this.#cancel = this.#timers.after(delayMs, () => this.#due());
  }

  #due(): void {
    const nowMs = this.#monotonic.elapsedMs();
    const idleLeftMs = this.#holds > 0 ? this.#idleMs : this.#lastMs + this.#idleMs - nowMs;
    const leftMs = this.#startedMs + this.#maxMs - nowMs;
    // A timer may fire a fraction of a millisecond early.
    if (idleLeftMs >= 1 && leftMs >= 1) {
      this.#arm(Math.ceil(Math.min(idleLeftMs, leftMs)));
      return;
    }
    this.#cancel = undefined;
    this.#onExpired(leftMs < 1 ? this.#maxMs : this.#idleMs);
  }
}
