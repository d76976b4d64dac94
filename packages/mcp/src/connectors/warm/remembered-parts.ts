import type { Logger } from "@cortex-os/mcp-core";
import type { CatalogPart } from "../../catalog/catalog-part.js";
import type { Connector } from "../connector.js";
import type { CatalogStore, StoredPart } from "./catalog-store.js";

/**
 * Says which connector begins with what was stored of it, and keeps the store true to what connectors offer now. What is stored is for the very same spec: of one that
 * was changed or is gone it is dropped.
 */
export class RememberedParts {
  readonly #store: CatalogStore;
  readonly #logger: Logger;
  /** What no connector has asked for yet. */
  #unclaimed: ReadonlyMap<string, StoredPart> = new Map();
  readonly #claimed = new Set<string>();
  readonly #kept = new Map<string, CatalogPart>();

  constructor(store: CatalogStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** Reads the store; before any connector is made. Never rejects. */
  async load(): Promise<void> {
    this.#unclaimed = await this.#store.load();
  }

  /** What that connector offered before the restart, for the first of its key and only if it is the same connector. */
  claim(key: string, fingerprint: string): StoredPart | undefined {
    const stored = this.#claimed.has(key) ? undefined : this.#unclaimed.get(key);
    this.#claimed.add(key);
    if (stored === undefined || stored.fingerprint === fingerprint) return stored;
    this.#drop(key, "its configuration changed");
    return undefined;
  }

  /** Has what the connector offers now stored, unless that was done. */
  keep({ key, isUp, part, upstream }: Connector, fingerprint: string): void {
    const facts = upstream?.facts;
    if (!isUp || part === undefined || facts === undefined || this.#kept.get(key) === part) return;
    this.#kept.set(key, part);
    this.#store.save({ key, fingerprint, facts, part });
  }

  /** The connector left. */
  forget(key: string): void {
    this.#kept.delete(key);
    this.#store.remove(key);
  }

  /** Every source has said which connectors there are: what none of them asked for belongs to none. */
  dropUnclaimed(): void {
    for (const key of this.#unclaimed.keys())
      if (!this.#claimed.has(key)) this.#drop(key, "there is no such connector");
    this.#unclaimed = new Map();
  }

  /** Stores what is waiting. Never rejects. */
  async close(): Promise<void> {
    await this.#store.close();
  }

  #drop(key: string, why: string): void {
    this.#logger.info({ connectorId: key, why }, "What was stored of a connector's lists is dropped");
    this.#store.remove(key);
  }
}
