import { readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { acquireLock, type Lock } from "../lock.js";
import { SNAPSHOT_GONE } from "../recovery/memory.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";

const registry = useCacheFixture();

describe("RegistryMemoryCache: one that is behind when something is taken away (R11)", () => {
  test("the journal: what others added to it goes over into the new one", async () => {
    const [first, second] = [await registry.opened(), await registry.opened()];
    first.upsert(server("a"));
    await second.refresh();
    first.upsert(server("not-seen-by-the-second"));
    await rm(`${registry.file}.log`);
    second.upsert(server("c"));
    await first.refresh();
    const expected = ["a", "not-seen-by-the-second", "c"];
    expect([namesOf(first), namesOf(second)]).toEqual([expected, expected]);
    await Promise.all([first.close(), second.close()]);
    expect(await registry.namesAfterReopening()).toEqual(expected);
  });

  test.each(["gone", "damaged"])("the snapshot is %s: nothing that others did is taken back", async (what) => {
    const idle = await registry.opened();
    idle.upsert(server("a"));
    await idle.flush();
    const busy = await registry.opened({ journalLimitBytes: 0 });
    busy.remove("a");
    for (const name of ["b", "c", "d"]) {
      busy.upsert(server(name));
      await busy.flush();
    }
    if (what === "gone") await rm(registry.file);
    else await writeFile(registry.file, "{");
    await idle.refresh();
    expect(namesOf(idle)).toEqual(["b", "c", "d"]);
    await busy.refresh();
    expect(namesOf(busy)).toEqual(["b", "c", "d"]);
    expect(idle.history().some(({ by }) => by === "hand")).toBe(false);
    await Promise.all([idle.close(), busy.close()]);
    expect(await registry.namesAfterReopening()).toEqual(["b", "c", "d"]);
  });

  test("the whole folder: what is in memory is there again for others at once, not only with the next flush", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    // A new journal goes on from there, and does not tell of that one.
    await rm(`${registry.file}.log`);
    cache.upsert(server("b"));
    await rm(path.dirname(registry.file), { recursive: true });
    await cache.refresh();
    expect(cache.problems).toEqual([SNAPSHOT_GONE.text]);
    expect(await registry.namesAfterReopening()).toEqual(["a", "b"]);
    await cache.refresh();
    expect(namesOf(cache)).toEqual(["a", "b"]);
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "b"]);
  });

  test("a file that was not ours is gone, and somebody else has begun a journal on it", async () => {
    await registry.writeServers({ servers: [server("mine")] });
    const [idle, busy] = [await registry.opened(), await registry.opened()];
    busy.upsert(server("a"));
    await rm(registry.file);
    await idle.refresh();
    expect(namesOf(idle)).toEqual(["mine", "a"]);
    await idle.close();
    await busy.refresh();
    expect(namesOf(busy)).toEqual(["mine", "a"]);
    await busy.close();
    expect(await registry.namesAfterReopening()).toEqual(["mine", "a"]);
  });
});

test("when the journal was renewed, the older snapshot is a file of its own, which nobody changes with the other", async () => {
  const cache = await registry.opened();
  cache.upsert(server("a"));
  registry.fs.refuse("datasync", /\.log/, "EIO", 1);
  cache.upsert(server("b"));
  await cache.durable();
  await cache.close();
  expect((await stat(`${registry.file}.prev`)).ino).not.toBe((await stat(registry.file)).ino);
  await writeFile(registry.file, "{");
  expect(await registry.namesAfterReopening()).toEqual(["a", "b"]);
  for (const end of [".log", ".log.1"]) await rm(`${registry.file}${end}`);
  await writeFile(registry.file, "{");
  expect(await registry.namesAfterReopening()).toEqual(["a", "b"]);
});

test("a snapshot that is durable is no failure because the lock cannot be had to say so", async () => {
  const cache = await registry.opened({ lock: { waitMs: 0 } });
  cache.upsert(server("a"));
  let taken: Promise<Lock> | undefined;
  let syncs = 0;
  const takeLock = (): void => {
    if (++syncs === 2) taken = acquireLock(`${registry.file}.lock`);
  };
  registry.fs.before("sync", /^mcp$/, takeLock);
  await cache.flush();
  await (await taken)?.release();
  expect(cache.health).toBe("ok");
  expect(await readFile(`${registry.file}.log`, "utf8")).not.toContain('"m":2');
  await cache.close();
});
