/** Who wants to hear of something that has no content of its own. One that fails harms no other. */
export class Listeners {
  readonly #listeners = new Map<symbol, () => void>();
  readonly #onError: (error: unknown) => void;
  #isAboutToTell = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Returns what ends it; the same function may be added twice. */
  add(listener: () => void): () => void {
    const key = Symbol("listener");
    this.#listeners.set(key, listener);
    return () => {
      this.#listeners.delete(key);
    };
  }

  /** Tells all, once for all calls of a turn, when what runs now is over: nobody is called in the middle of it, or under its lock. */
  tell(): void {
    if (this.#isAboutToTell) return;
    this.#isAboutToTell = true;
    queueMicrotask(() => {
      this.#isAboutToTell = false;
      for (const listener of this.#listeners.values()) this.#tellOne(listener);
    });
  }

  #tellOne(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#onError(error);
    }
  }
}
