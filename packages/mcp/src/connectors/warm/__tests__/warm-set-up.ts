import { specFingerprint, type ConnectorSpec } from "@cortex-os/mcp-core";
import { toolOf } from "../../../__tests__/support/test-upstreams.js";
import type { CatalogStore, StoredPart } from "../catalog-store.js";

/** What a connector of this spec listed before the restart. */
export function storedOf(spec: ConnectorSpec, ...tools: readonly string[]): StoredPart {
  return {
    key: spec.key,
    fingerprint: specFingerprint(spec),
    facts: {
      era: "modern",
      revision: "2026-07-28",
      capabilities: { tools: {} },
      detectedAt: "2026-01-01T00:00:00.000Z",
    },
    part: { key: spec.key, lists: { tools: { entries: tools.map(toolOf) } } },
  };
}

/** A store in memory that tells what it was asked for. */
export class TestCatalogStore implements CatalogStore {
  readonly saved: StoredPart[] = [];
  readonly removed: string[] = [];
  closes = 0;
  readonly #first: readonly StoredPart[];

  constructor(...first: readonly StoredPart[]) {
    this.#first = first;
  }

  async load(): Promise<ReadonlyMap<string, StoredPart>> {
    return Promise.resolve(new Map(this.#first.map((stored) => [stored.key, stored])));
  }

  save(stored: StoredPart): void {
    this.saved.push(stored);
  }

  remove(key: string): void {
    this.removed.push(key);
  }

  async close(): Promise<void> {
    this.closes += 1;
    await Promise.resolve();
  }
}
