import type { ServerFeature } from "@cortex-os/mcp-core/wire";
import type { Catalog } from "./catalog.js";

/** Hears of a new catalog, and which features' lists are others than before. */
export type CatalogListener = (catalog: Catalog, changed: ReadonlySet<ServerFeature>) => void;

/**
 * The one place where the refresh flow and the call flow meet: holds the catalog in force. Readers take {@link current} and never wait; a
 * new one is swapped in whole.
 */
export class CatalogHolder {
  readonly #listeners = new Set<CatalogListener>();
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
    const changed = next.changesSince(this.#current);
    this.#current = next;
    for (const listener of [...this.#listeners]) {
      try {
        listener(next, changed);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
    return true;
  }

  /** Tells `listener` of every change from now on; the returned function ends that. */
  subscribe(listener: CatalogListener): () => void {
    const own: CatalogListener = (catalog, changed) => {
      listener(catalog, changed);
    };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}
