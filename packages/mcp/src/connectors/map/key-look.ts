import type { Timers } from "@cortex-os/mcp-core";

/** What a {@link KeyLook} works through. */
export interface KeyLookOptions {
  readonly timers: Timers;
  /** Milliseconds from the end of one look to the next. */
  readonly everyMs: number;
  /** Must not reject. */
  readonly look: () => Promise<void>;
}

/** Looks at the keys between refreshes, one look after the other: a key that was removed must not count until the next fetch (reliability.md, 5.2). */
export class KeyLook {
  readonly #options: KeyLookOptions;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(options: KeyLookOptions) {
    this.#options = options;
    this.#later();
  }

  /** Idempotent; a look that runs comes to its end. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #later(): void {
    if (this.#stopped) return;
    const { timers, everyMs, look } = this.#options;
    this.#cancel = timers.after(everyMs, () => {
      void look().finally(() => {
        this.#later();
      });
    });
  }
}
