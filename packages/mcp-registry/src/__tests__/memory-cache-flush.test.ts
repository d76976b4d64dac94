import { writeFileSync } from "node:fs";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { acquireLock, type Lock } from "../lock.js";
import { RegistryMemoryCache } from "../memory-cache.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { deadIdentity } from "./lock-fixture.js";
import { namesIn, readJson } from "./temp-folder.js";

const registry = useCacheFixture();

describe("RegistryMemoryCache: flush (R10)", () => {
  test("the periodic flush comes 5 s after a change, and no timer waits without one", async () => {
    const cache = await registry.opened();
    expect(registry.time.pending).toBe(0);
    cache.upsert(server("a"));
    cache.upsert(server("b"));
    expect(registry.time.delays).toEqual([5_000]);
    await cache.flush();
    expect(registry.time.pending).toBe(0);
    await cache.close();
  });

  test.each([
    [0, 10],
    [10_000, 10_000],
  ])("flushIntervalMs %d waits %d ms", async (flushIntervalMs, expected) => {
    const cache = await registry.opened({ flushIntervalMs });
    cache.upsert(server("a"));
    expect(registry.time.delays).toEqual([expected]);
    await cache.close();
  });

  test.each([-1, Number.NaN])("flushIntervalMs %d is refused by name", (flushIntervalMs) => {
    expect(() => new RegistryMemoryCache({ registryPath: registry.file, flushIntervalMs })).toThrow(
      /flushIntervalMs .* got/,
    );
  });

  test("a clean cache writes nothing", async () => {
    await registry.writeServers({ servers: [server("a")] });
    const before = await stat(registry.file, { bigint: true });
    const cache = await registry.opened();
    const calls = registry.fs.calls.length;
    await cache.flush();
    await cache.close();
    expect(registry.fs.calls).toHaveLength(calls);
    expect(await stat(registry.file, { bigint: true })).toMatchObject({ ino: before.ino, ctimeNs: before.ctimeNs });
    expect(await registry.files()).toEqual(["servers.json"]);
  });

  test("overlapping calls share a pass that begins after them", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const flushes = [cache.flush(), cache.flush()];
    await registry.time.advance(0);
    cache.upsert(server("b"));
    flushes.push(cache.flush(), cache.flush());
    await flushes[0];
    await Promise.all(flushes);
    expect(await namesIn(registry.file)).toEqual(["a", "b"]);
    expect(registry.logger.messages("info")).toHaveLength(2);
    await cache.close();
  });

  test("all who share a failed pass hear of it", async () => {
    const cache = await registry.opened();
    const mend = registry.breakDisk();
    cache.upsert(server("a"));
    const results = await Promise.allSettled([cache.flush(), cache.flush()]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    mend();
    await cache.close();
  });

  test("tells how long each flush that wrote took, and of those that failed that they did", async () => {
    const heard: (number | undefined)[] = [];
    const cache = await registry.opened({ monotonic: registry.time, onFlush: (ms) => heard.push(ms) });
    await cache.flush();
    cache.upsert(server("a"));
    registry.fs.before("sync", /tmp/, () => void registry.time.advance(7), 1);
    const mend = registry.breakDisk();
    await expect(cache.flush()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    mend();
    await cache.flush();
    expect(heard).toEqual([undefined, expect.any(Number)]);
    await cache.close();
  });

  test("the file says which generation it is, and a journal and the file before it are beside it", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    expect(await readJson(registry.file)).toEqual({
      _meta: {
        v: 1,
        id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        epoch: 1,
        seq: 1,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
      servers: [server("a")],
    });
    cache.upsert(server("b"));
    await cache.close();
    expect(await readJson(registry.file)).toMatchObject({ _meta: { epoch: 1, seq: 2 } });
    expect(await namesIn(`${registry.file}.prev`)).toEqual(["a"]);
    expect(await registry.files()).toEqual(["servers.json", "servers.json.log", "servers.json.prev"]);
  });

  test("what others wrote meanwhile stays, and is taken in", async () => {
    const first = await registry.opened();
    const second = await registry.opened();
    first.upsert(server("first"));
    second.upsert(server("second"));
    await first.flush();
    expect(await namesIn(registry.file)).toEqual(["first", "second"]);
    await second.flush();
    expect(namesOf(second)).toEqual(["first", "second"]);
    await first.refresh();
    expect(namesOf(first)).toEqual(["first", "second"]);
    await Promise.all([first.close(), second.close()]);
  });

  test("two that flush at the same time both get through, and the file has everything", async () => {
    const caches = await Promise.all(Array.from({ length: 4 }, () => registry.opened()));
    for (const [index, cache] of caches.entries()) cache.upsert(server(`s${index}`));
    await Promise.all(caches.map(async (cache) => cache.flush()));
    expect((await namesIn(registry.file)).toSorted()).toEqual(["s0", "s1", "s2", "s3"]);
    await Promise.all(caches.map(async (cache) => cache.close()));
  });

  test("one that is overtaken every time gives up, and says so", async () => {
    const [cache, other] = [await registry.opened(), await registry.opened()];
    cache.upsert(server("a"));
    let more = 0;
    const end = registry.fs.before("sync", /^servers\.json\.tmp-/, () => {
      writeFileSync(registry.file, JSON.stringify({ servers: [server(`hand${more++}`)] }));
    });
    await expect(cache.flush()).rejects.toMatchObject({
      message: `cannot write ${registry.file}: others kept changing it at the same time`,
    });
    end();
    await Promise.all([cache.close(), other.close()]);
    expect(await namesIn(registry.file)).toEqual(["hand19", "a"]);
  });

  test("somebody who keeps the lock makes it fail, and no temporary file stays", async () => {
    const cache = await registry.opened({ lock: { waitMs: 0 } });
    cache.upsert(server("a"));
    let taken: Promise<Lock> | undefined;
    const takeLock = (): void => {
      taken = acquireLock(`${registry.file}.lock`);
    };
    registry.fs.before("sync", /^servers\.json\.tmp-/, takeLock, 1);
    await expect(cache.flush()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    expect((await registry.files()).filter((name) => name.includes(".tmp-"))).toEqual([]);
    await (await taken)?.release();
    await cache.close();
  });

  test("a file that vanished is written anew from memory", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    await rm(registry.file);
    cache.upsert(server("b"));
    await cache.flush();
    expect(await namesIn(registry.file)).toEqual(["a", "b"]);
    await cache.close();
  });

  test("a file that was torn meanwhile is kept aside, and no server is lost", async () => {
    const many = Array.from({ length: 500 }, (_, index) => server(`s${index}`));
    await registry.writeServers({ servers: many });
    const cache = await registry.opened();
    await writeFile(registry.file, '{"servers": [{"na');
    cache.upsert(server("new"));
    await cache.flush();
    expect(await namesIn(registry.file)).toEqual([...many, server("new")].map(({ name }) => name));
    const kept = (await readdir(path.dirname(registry.file))).find((name) => name.includes(".corrupt-")) ?? "";
    expect(await readFile(registry.folder.at("mcp", kept), "utf8")).toBe('{"servers": [{"na');
    expect(registry.logger.messages("error")).toEqual(["Failed to load registry"]);
    expect(cache.problems).toEqual([]);
    await cache.close();
  });

  test("what a killed writer left is swept away with its lock", async () => {
    await registry.writeServers({ servers: [] });
    const dead = await deadIdentity();
    await acquireLock(`${registry.file}.lock`, { self: dead });
    for (const name of ["", ".log", ".prev", ".log.1", ".corrupt-20231114T221320000Z"])
      await writeFile(`${registry.file}${name}.tmp-${dead.pid}-0123456789ab`, "half a snap");
    await writeFile(registry.folder.at("mcp", `other.tmp-${dead.pid}-0123456789ab`), "not ours");
    const cache = await registry.opened();
    await cache.close();
    expect(await registry.files()).toEqual([`other.tmp-${dead.pid}-0123456789ab`, "servers.json"]);
    await rm(registry.folder.at("mcp", `other.tmp-${dead.pid}-0123456789ab`));
  });
});
