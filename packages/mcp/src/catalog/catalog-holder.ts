import type { Catalog } from "./catalog.js";

/**
 * The one place where the refresh flow and the call flow meet: holds the catalog in force. Readers take {@link current} and never wait; a
 * new one is swapped in whole.
 */
export class CatalogHolder {
  readonly #listeners = new Set<(catalog: Catalog) => void>();
  readonly #onListenerError: (error: unknown) => void;
  #current: Catalog;

  constructor(initial: Catalog, onListenerError: (error: unknown) => void) {
    this.#current = initial;
    this.#onListenerError = onListenerError;
  }

  get current(): Catalog {
    return this.#current;
  }

  /**
   * Puts `next` in force, unless it is the same to a client.
   * @returns whether anything changed
   */
  swap(next: Catalog): boolean {
    if (next.revision === this.#current.revision) {
      // Routes may differ where bytes do not (the connector behind a name that `never` prefixes).
      this.#current = next;
      return false;
    }
    this.#current = next;
    for (const listener of [...this.#listeners]) {
      try {
        listener(next);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
    return true;
  }

  /** Tells `listener` of every change from now on; the returned function ends that. */
  subscribe(listener: (catalog: Catalog) => void): () => void {
    const own = (catalog: Catalog): void => {
      listener(catalog);
    };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}
