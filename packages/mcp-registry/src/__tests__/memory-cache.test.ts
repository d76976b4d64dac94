import { stat } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { acquireLock } from "../lock.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { contentOf, namesIn } from "./temp-folder.js";

const registry = useCacheFixture();

describe("RegistryMemoryCache: the case matrix of the registry (R19)", () => {
  test("upsert and read: in memory and in the journal at once, in the file after flush", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    expect(cache.getAll()).toEqual([server("a")]);
    expect(await registry.files()).toEqual(["servers.json.log"]);
    expect(await registry.namesAfterReopening()).toEqual(["a"]);
    await cache.flush();
    expect(await contentOf(registry.file)).toEqual({ servers: [server("a")] });
    await cache.close();
  });

  test("remove missing: false, and nothing to write", async () => {
    const cache = await registry.opened();
    expect(cache.remove("nobody")).toBe(false);
    expect(registry.time.pending).toBe(0);
    await cache.close();
    await expect(stat(registry.file)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(stat(`${registry.file}.log`)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("flush I/O error: an explicit flush rejects, keeps the data and succeeds later", async () => {
    const cache = await registry.opened();
    cache.upsert(server("kept"));
    await cache.flush();
    const mend = registry.breakDisk();
    cache.upsert(server("new"));
    await expect(cache.flush()).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: `cannot write ${registry.file}: no space left on the device: free some and try again`,
    });
    expect(namesOf(cache)).toEqual(["kept", "new"]);
    expect(await namesIn(registry.file)).toEqual(["kept"]);
    mend();
    await cache.flush();
    expect(await namesIn(registry.file)).toEqual(["kept", "new"]);
    await cache.close();
  });

  test("flush I/O error: the periodic flush logs, throws nothing and tries again", async () => {
    const cache = await registry.opened();
    const mend = registry.breakDisk();
    cache.upsert(server("a"));
    await registry.time.advance(5_000);
    await vi.waitFor(() => expect(registry.logger.messages("warn")).toEqual(["Registry flush failed"]));
    expect(registry.logger.lines.at(-1)?.fields["err"]).toMatchObject({ code: "REGISTRY_IO" });
    mend();
    await registry.time.advance(5_000);
    await vi.waitFor(async () => expect(await namesIn(registry.file)).toEqual(["a"]));
    await cache.close();
  });

  test("same name twice: one server, the later one, in the earlier one's place", async () => {
    const cache = await registry.opened();
    for (const entry of [server("a", "1"), server("b"), server("a", "2")]) cache.upsert(entry);
    await cache.close();
    expect(await contentOf(registry.file)).toEqual({ servers: [server("a", "2"), server("b")] });
  });

  test("race with the periodic flush: what changes while it writes is written by the next", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a", "1"));
    cache.upsert(server("b"));
    registry.fs.before(
      "sync",
      /^servers\.json\.tmp-/,
      () => {
        cache.upsert(server("a", "2"));
        cache.remove("b");
        cache.upsert(server("c"));
      },
      1,
    );
    await registry.time.advance(5_000);
    await vi.waitFor(async () => expect(await namesIn(registry.file)).toEqual(["a", "b"]));
    expect(cache.getAll()).toEqual([server("a", "2"), server("c")]);
    await vi.waitFor(() => expect(registry.time.delays).toEqual([5_000]));
    await registry.time.advance(5_000);
    await vi.waitFor(async () =>
      expect(await contentOf(registry.file)).toEqual({ servers: [server("a", "2"), server("c")] }),
    );
    await cache.close();
  });

  test("close during flush: everything is written, also what came after the flush began", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    let closing: Promise<void> | undefined;
    registry.fs.before(
      "sync",
      /^servers\.json\.tmp-/,
      () => {
        cache.upsert(server("b"));
        closing = cache.close();
      },
      1,
    );
    await cache.flush();
    await closing;
    expect(await namesIn(registry.file)).toEqual(["a", "b"]);
  });
});

describe("RegistryMemoryCache: close (R10)", () => {
  test("is idempotent, refuses changes and leaves no timer", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await Promise.all([cache.close(), cache.close()]);
    await cache.close();
    expect(() => cache.upsert(server("b"))).toThrow(/after close/);
    expect(() => cache.remove("a")).toThrow(/after close/);
    expect(() => cache.undo()).toThrow(/after close/);
    expect(() => cache.restore(0)).toThrow(/after close/);
    expect(namesOf(cache)).toEqual(["a"]);
    const calls = registry.fs.calls.length;
    await Promise.all([cache.flush(), cache.durable(), cache.refresh()]);
    await registry.time.advance(60_000);
    expect(registry.fs.calls).toHaveLength(calls);
  });

  test("waits for an init that is under way, and ends one that comes later", async () => {
    await registry.writeServers({ servers: [server("a")] });
    const never = await registry.opened();
    await never.close();
    const lock = await acquireLock(`${registry.file}.lock`);
    const opening = registry.opened();
    await lock.release();
    await registry.time.advance(1_000);
    const cache = await opening;
    await cache.close();
    expect(() => cache.upsert(server("b"))).toThrow(/after close/);
  });

  test("rejects when the last flush fails, leaves no timer, and may be tried again", async () => {
    const cache = await registry.opened();
    const mend = registry.breakDisk();
    cache.upsert(server("a"));
    await expect(cache.close()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    expect(registry.time.pending).toBe(0);
    mend();
    await cache.close();
    expect(await namesIn(registry.file)).toEqual(["a"]);
  });

  test("an instance whose sync is under way is closed when that is done, and leaves no file open", async () => {
    const first = await registry.opened();
    first.upsert(server("a"));
    await first.close();
    const cache = await registry.opened();
    const durable = cache.durable();
    await cache.close();
    await durable;
  });
});
