import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { server, useCacheFixture } from "./cache-fixture.js";
import { RuledFs } from "./fs-fixture.js";

const registry = useCacheFixture();

describe("RegistryMemoryCache: flushes of several instances that overlap (R11)", () => {
  test("one whose changes another has just written makes the folder durable all the same before it resolves", async () => {
    const cache = await registry.opened();
    const otherFs = new RuledFs();
    const other = await registry.opened({ fs: otherFs, timers: new ManualTime() });
    cache.upsert(server("a"));
    await cache.durable();
    await other.refresh();
    let flushed: Promise<number> | undefined;
    const flush = async (): Promise<number> => {
      const before = registry.fs.count("sync", /^mcp$/);
      await cache.flush();
      return registry.fs.count("sync", /^mcp$/) - before;
    };
    // The snapshot of the other has its name, and no sync of the folder has begun.
    otherFs.before("rename", /^servers\.json$/, () => {
      const begin = (): void => {
        flushed ??= flush();
      };
      otherFs.before("sync", /^mcp$/, begin, 1);
    });
    await other.flush();
    expect(await flushed).toBe(1);
    await Promise.all([cache.close(), other.close()]);
  });
});
