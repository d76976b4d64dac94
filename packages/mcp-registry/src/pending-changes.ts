import type { ServerInfo } from "@cortex-os/mcp-core";
import { withEntry, withoutName, type RegistryDocument } from "./registry-file.js";

/** What happened to one name: removed first, or set to `entry`, or both in that order. */
interface Change {
  readonly removed: boolean;
  readonly entry?: ServerInfo;
}

/**
 * Changes that are not on the disk yet, in order, at most one per name. Applied to whatever the file holds when they are written, so
 * that what others changed meanwhile stays.
 */
export class PendingChanges {
  readonly #changes = new Map<string, Change>();

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  /** Keeps its place among the changes when it replaces an upsert of that name. */
  upsert(entry: ServerInfo): void {
    const before = this.#changes.get(entry.name);
    // After a removal it is a new one, and comes after all that was added until now.
    if (before?.entry === undefined) this.#changes.delete(entry.name);
    this.#changes.set(entry.name, { removed: before?.removed ?? false, entry });
  }

  remove(name: string): void {
    this.#changes.delete(name);
    this.#changes.set(name, { removed: true });
  }

  /** Adds what happened after these changes. */
  append(later: PendingChanges): void {
    for (const [name, { removed, entry }] of later.#changes) {
      if (removed) this.remove(name);
      if (entry !== undefined) this.upsert(entry);
    }
  }

  /** The document as it is after these changes. */
  applyTo(document: RegistryDocument): RegistryDocument {
    let changed = document;
    for (const [name, { removed, entry }] of this.#changes) {
      if (removed) changed = withoutName(changed, name);
      if (entry !== undefined) changed = withEntry(changed, entry);
    }
    return changed;
  }
}
