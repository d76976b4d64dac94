/** Who wants to hear of something that has no content of its own. One that fails harms no other. */
export class Listeners {
  readonly #listeners = new Map<symbol, () => void>();
  readonly #onError: (error: unknown) => void;

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

  tell(): void {
    for (const listener of this.#listeners.values()) {
      try {
        listener();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
