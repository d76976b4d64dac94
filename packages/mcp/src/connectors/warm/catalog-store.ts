import type { UpstreamFacts } from "@cortex-os/mcp-bridge";
import type { CatalogPart } from "../../catalog/catalog-part.js";

/** What one connector offered when it was last asked. Holds no secret: of its configuration there is a digest only. */
export interface StoredPart {
  /** The connector's key. */
  readonly key: string;
  /** The `specFingerprint` of the spec it was listed from: with another one it tells nothing. */
  readonly fingerprint: string;
  /** What the upstream turned out to be. */
  readonly facts: UpstreamFacts;
  readonly part: CatalogPart;
}

/**
 * Remembers across restarts what each connector offered, so that a gateway can serve its catalog before anything is connected. What it gives back is exactly
 * what was saved, or nothing: a store never guesses.
 */
export interface CatalogStore {
  /** Everything that is stored and sound, by key; the rest is removed and told in the log. Called once, before anything else. Never rejects. */
  load(): Promise<ReadonlyMap<string, StoredPart>>;
  /** Has this stored soon, instead of what was stored of that connector; of several in a short time the last one. What fails is logged. */
  save(stored: StoredPart): void;
  /** Has nothing stored of that connector soon. */
  remove(key: string): void;
  /** Stores what is waiting; nothing is stored any more after it. Never rejects. */
  close(): Promise<void>;
}
