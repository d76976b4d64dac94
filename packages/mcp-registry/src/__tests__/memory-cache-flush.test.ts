import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { acquireLock } from "../lock.js";
import { RegistryMemoryCache } from "../memory-cache.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { deadIdentity } from "./lock-fixture.js";
import { namesIn } from "./temp-folder.js";

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
    const folderBefore = await stat(path.dirname(registry.file), { bigint: true });
    const cache = await registry.opened();
    await cache.flush();
    await cache.close();
    expect(await stat(registry.file, { bigint: true })).toMatchObject({ ino: before.ino, ctimeNs: before.ctimeNs });
    // Neither a temporary file nor a lock came and went.
    expect(await stat(path.dirname(registry.file), { bigint: true })).toMatchObject({ ctimeNs: folderBefore.ctimeNs });
    expect(await readdir(path.dirname(registry.file))).toEqual(["servers.json"]);
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
    const mend = await registry.breakDisk();
    cache.upsert(server("a"));
    const results = await Promise.allSettled([cache.flush(), cache.flush()]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await mend();
    await cache.close();
  });

  test("file and folder are for the owner only", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.close();
    expect((await stat(registry.file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(registry.file))).mode & 0o777).toBe(0o700);
  });

  test("what others wrote meanwhile stays, and is taken in", async () => {
    const first = await registry.opened();
    const second = await registry.opened();
    first.upsert(server("first"));
    second.upsert(server("second"));
    await first.flush();
    await second.flush();
    expect(await namesIn(registry.file)).toEqual(["first", "second"]);
    expect(namesOf(second)).toEqual(["first", "second"]);
    expect(namesOf(first)).toEqual(["first"]);
    await first.refresh();
    expect(namesOf(first)).toEqual(["first", "second"]);
    await Promise.all([first.close(), second.close()]);
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

  test("a symbolic link is written through and stays one", async () => {
    await mkdir(registry.folder.at("dots"));
    await mkdir(path.dirname(registry.file));
    await symlink("../dots/mine.json", registry.file);
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.close();
    expect(await namesIn(registry.folder.at("dots", "mine.json"))).toEqual(["a"]);
    expect(await readdir(path.dirname(registry.file), { withFileTypes: true })).toMatchObject([
      { name: "servers.json" },
    ]);
    expect(await namesIn(registry.file)).toEqual(["a"]);
  });

  test("what a killed writer left is swept away with its lock", async () => {
    await registry.writeServers({ servers: [] });
    const { token } = await acquireLock(`${registry.file}.lock`, { self: await deadIdentity() });
    await writeFile(`${registry.file}.tmp-${token}`, "half a snap");
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.close();
    expect(await readdir(path.dirname(registry.file))).toEqual(["servers.json"]);
  });
});
