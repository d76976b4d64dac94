import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { acquireLock, type Lock } from "../lock.js";
import { readJournal } from "../journal/journal.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { systemError } from "./fs-fixture.js";
import { namesIn } from "./temp-folder.js";

const registry = useCacheFixture();
const log = (): string => `${registry.file}.log`;

describe("RegistryMemoryCache: durable (R11)", () => {
  test("syncs the journal and the folders it made, once for all that ask together", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    cache.upsert(server("b"));
    await Promise.all([cache.durable(), cache.durable(), cache.durable()]);
    expect(registry.fs.count("datasync", /^servers\.json\.log/)).toBe(1);
    const folders = registry.fs.calls.filter(({ call }) => call === "sync").map(({ file }) => file);
    // Those above too, as far as they are this user's: who made them may not have come to it.
    expect(folders).toEqual(expect.arrayContaining([path.basename(registry.folder.at()), "mcp"]));
    expect(folders).toHaveLength(new Set(folders).size);
    await cache.durable();
    expect(registry.fs.count("datasync", /^servers\.json\.log/)).toBe(1);
    await cache.close();
  });

  test("a change during a sync waits for the next one", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const later: Promise<void>[] = [];
    const change = (): void => {
      cache.upsert(server("b"));
      later.push(cache.durable(), cache.durable());
    };
    registry.fs.before("datasync", /\.log/, change, 1);
    await cache.durable();
    await Promise.all(later);
    expect(registry.fs.count("datasync", /\.log/)).toBe(2);
    await cache.close();
  });

  test("says in the journal how much of it is durable", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const { size } = await stat(log());
    await cache.durable();
    expect(await readFile(log(), "utf8")).toContain(`{"e":1,"m":1,"d":${size}}\n`);
    await cache.close();
    expect(await readFile(log(), "utf8")).toContain('{"e":1,"m":2,"s":1}\n');
  });

  test("that the mark cannot be written is no failure, nor that somebody keeps the lock then", async () => {
    const cache = await registry.opened({ lock: { waitMs: 0 } });
    cache.upsert(server("a"));
    const mend = registry.fs.refuse("write", /\.log/, "EIO");
    await cache.durable();
    mend();
    cache.upsert(server("b"));
    let taken: Promise<Lock> | undefined;
    const takeLock = (): void => {
      taken = acquireLock(`${registry.file}.lock`);
    };
    registry.fs.before("datasync", /\.log/, takeLock, 1);
    await cache.durable();
    await (await taken)?.release();
    await cache.close();
  });

  test("a journal that another instance began meanwhile is synced, too", async () => {
    const [cache, other] = [await registry.opened(), await registry.opened({ journalLimitBytes: 0 })];
    cache.upsert(server("a"));
    await other.flush();
    other.upsert(server("b"));
    cache.upsert(server("c"));
    let flushing: Promise<void> | undefined;
    const flushOther = (): void => {
      flushing = other.flush();
    };
    registry.fs.before("datasync", /\.log/, flushOther, 1);
    await cache.durable();
    await flushing;
    await cache.durable();
    await Promise.all([cache.close(), other.close()]);
    expect(await registry.namesAfterReopening()).toEqual(["a", "b", "c"]);
  });
});

describe("RegistryMemoryCache: a sync that fails (R11)", () => {
  test("durable writes everything to new files at once, and the old one is never synced again", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    registry.fs.refuse("datasync", /\.log/, "EIO", 1);
    const before = await stat(log());
    await cache.durable();
    expect([cache.health, cache.problems]).toEqual(["ok", []]);
    const poisoned = registry.fs.calls.find(({ call }) => call === "datasync")?.fd;
    const calls = registry.fs.calls.length;
    expect(await namesIn(registry.file)).toEqual(["a"]);
    cache.upsert(server("b"));
    await cache.durable();
    expect(registry.fs.calls.slice(calls).some(({ call, fd }) => call === "datasync" && fd === poisoned)).toBe(false);
    expect((await stat(log())).ino).not.toBe(before.ino);
    cache.upsert(server("c"));
    await cache.durable();
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "b", "c"]);
  });

  test("all who share the failed sync share the new files, or hear that there are none", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const next: Promise<void>[] = [];
    const failLater = (): void => {
      next.push(cache.durable());
      throw systemError("EIO");
    };
    registry.fs.before("datasync", /\.log/, failLater, 1);
    registry.fs.refuse("sync", /^servers\.json\.tmp-/, "EIO", 1);
    const results = await Promise.allSettled([cache.durable(), cache.durable()]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(cache.health).toBe("degraded");
    await Promise.all([cache.durable(), ...next]);
    expect(await namesIn(registry.file)).toEqual(["a"]);
    await cache.close();
  });

  test.each([
    ["the folder's entries", "sync", /^mcp$/],
    ["the new snapshot", "sync", /^servers\.json\.tmp-/],
  ] as const)("of %s: flush rejects, and the next one writes anew", async (_, call, file) => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    cache.upsert(server("b"));
    registry.fs.refuse(call, file, "EIO", 1);
    await expect(cache.flush()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    expect(namesOf(cache)).toEqual(["a", "b"]);
    const { ino } = await stat(registry.file);
    await cache.flush();
    expect((await stat(registry.file)).ino).not.toBe(ino);
    expect([cache.health, cache.problems]).toEqual(["ok", []]);
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "b"]);
  });

  test("in the new files, too: it stays degraded until a flush gets through", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const mend = registry.fs.refuse("datasync", /\.log/, "EIO");
    const mendToo = registry.breakDisk();
    await expect(cache.durable()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await expect(cache.durable()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    expect(cache.health).toBe("degraded");
    mend();
    mendToo();
    await registry.time.advance(5_000);
    await cache.flush();
    expect(cache.health).toBe("ok");
    await cache.close();
  });
});

describe("RegistryMemoryCache: a journal that is long (R11)", () => {
  const many = Array.from({ length: 12 }, (_, index) => `s${index}`);

  test("is closed at journalLimitBytes and a new one begun, when two snapshots have all of it", async () => {
    const cache = await registry.opened({ journalLimitBytes: 500 });
    for (const name of many) {
      cache.upsert(server(name));
      await cache.flush();
    }
    await cache.close();
    expect(await registry.files()).toEqual([
      "servers.json",
      "servers.json.log",
      "servers.json.log.1",
      "servers.json.prev",
    ]);
    const [older, newer] = [readJournal(await readFile(`${log()}.1`)), readJournal(await readFile(log()))];
    expect(newer.epoch).toBe(older.epoch + 1);
    expect(newer.header?.base).toBe(older.changes.at(-1)?.seq);
  });

  test.each([
    ["damaged", (file: string) => writeFile(file, "{")],
    ["torn to nothing", (file: string) => writeFile(file, "")],
  ])("after each rotation a servers.json that is %s is rebuilt with everything there", async (_, damage) => {
    for (const [index, name] of many.entries()) {
      const { cache, kill } = await registry.openedToKill({ journalLimitBytes: 500 });
      expect(namesOf(cache)).toEqual(many.slice(0, index));
      cache.upsert(server(name));
      await cache.flush();
      kill();
      await damage(registry.file);
    }
    expect(await registry.namesAfterReopening()).toEqual(many);
  });

  test("changes that come during a rotation go over into the new journal", async () => {
    const cache = await registry.opened({ journalLimitBytes: 0 });
    cache.upsert(server("a"));
    await cache.flush();
    cache.upsert(server("b"));
    const change = (): void => {
      cache.upsert(server("c"));
    };
    registry.fs.before("sync", /^servers\.json\.tmp-/, change, 1);
    await cache.flush();
    expect(await namesIn(registry.file)).toEqual(["a", "b"]);
    expect(readJournal(await readFile(log())).changes.map(({ seq }) => seq)).toEqual([3]);
    expect(await registry.namesAfterReopening()).toEqual(["a", "b", "c"]);
    await cache.close();
  });

  test("one that cannot be closed makes the flush fail, and loses nothing", async () => {
    const cache = await registry.opened({ journalLimitBytes: 0 });
    cache.upsert(server("a"));
    await cache.flush();
    cache.upsert(server("b"));
    registry.fs.refuse("link", /\.log\.1\.tmp/, "EIO", 1);
    await expect(cache.flush()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    registry.fs.refuse("rename", /\.log\.1$/, "EIO", 1);
    cache.upsert(server("c"));
    await expect(cache.flush()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    cache.upsert(server("d"));
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "b", "c", "d"]);
  });

  test("where files cannot have two names, copies are made", async () => {
    registry.fs.refuse("link", /./, "EPERM");
    const cache = await registry.opened({ journalLimitBytes: 0 });
    for (const name of ["a", "b", "c"]) {
      cache.upsert(server(name));
      await cache.flush();
    }
    await cache.close();
    expect(await namesIn(`${registry.file}.prev`)).toEqual(["a", "b"]);
    await writeFile(registry.file, "{");
    expect(await registry.namesAfterReopening()).toEqual(["a", "b", "c"]);
  });
});

test("what is written after a sync that failed is there twice: damage in servers.json takes one (R11)", async () => {
  const cache = await registry.opened();
  cache.upsert(server("a"));
  registry.fs.refuse("datasync", /\.log/, "EIO", 1);
  await cache.durable().catch(() => {});
  await cache.flush();
  expect((await stat(`${registry.file}.prev`)).ino).not.toBe((await stat(registry.file)).ino);
  expect(await namesIn(`${registry.file}.prev`)).toEqual(["a"]);
  await cache.close();
});
