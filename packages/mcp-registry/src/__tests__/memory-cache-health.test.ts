import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { acquireLock } from "../lock.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";

const registry = useCacheFixture();

describe("RegistryMemoryCache: problems and health (R11, R12)", () => {
  test("a folder that may only be read is served, with its journal, and says what is wrong", async () => {
    await registry.writeServers({ servers: [server("a")] });
    const { cache: writer, kill } = await registry.openedToKill();
    writer.upsert(server("unflushed"));
    kill();
    for (const call of ["symlink", "rename", "link", "unlink", "makeFolder"] as const)
      registry.fs.refuse(call, /./, "EROFS");
    const cache = await registry.opened();
    expect(namesOf(cache)).toEqual(["a", "unflushed"]);
    expect(cache.health).toBe("degraded");
    expect(cache.problems).toEqual([`cannot create the lock ${registry.file}.lock: the file system is read-only`]);
    expect(() => cache.upsert(server("b"))).toThrow(/read-only/);
    await registry.writeServers({ servers: [server("a"), server("later")] });
    await cache.refresh();
    expect(namesOf(cache)).toContain("later");
    await expect(cache.close()).rejects.toMatchObject({ code: "REGISTRY_IO" });
  });

  test("one that could not have the lock for a while is well again after the next refresh", async () => {
    const cache = await registry.opened({ lock: { waitMs: 0 } });
    const other = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    const lock = await acquireLock(`${registry.file}.lock`);
    const written = registry.writeServers({ servers: [server("a"), server("b")] });
    await written;
    await cache.refresh();
    expect([namesOf(cache), cache.health]).toEqual([["a", "b"], "degraded"]);
    expect(cache.problems[0]).toContain(`process ${process.pid}`);
    await lock.release();
    await cache.refresh();
    expect(cache.health).toBe("ok");
    await Promise.all([cache.close(), other.close()]);
  });

  test("damage in the journal is an error until everything is in new files", async () => {
    const cache = await registry.opened();
    for (const name of ["a", "b", "c"]) cache.upsert(server(name));
    await cache.durable();
    await cache.close();
    const log = await readFile(`${registry.file}.log`, "latin1");
    await writeFile(`${registry.file}.log`, log.replace('"name":"b"', '"name":"X"'), "latin1");
    await writeFile(registry.file, "{");
    const damaged = await registry.opened();
    expect(namesOf(damaged)).toEqual(["a", "c"]);
    expect(damaged.health).toBe("degraded");
    expect(damaged.problems).toEqual([
      expect.stringMatching(/^servers\.json is damaged: .*; its 2 servers were rebuilt from the journal$/),
      "servers.json.log is damaged: every change that can still be read was kept",
      "1 change of the journal cannot be read any more: check your servers",
      expect.stringMatching(/^the damaged file is kept beside it as servers\.json\.corrupt-/),
    ]);
    expect(registry.time.pending).toBe(1);
    await damaged.flush();
    expect([damaged.health, damaged.problems]).toEqual(["ok", []]);
    expect((await registry.files()).filter((name) => name.includes(".corrupt-"))).toHaveLength(2);
    await damaged.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "c"]);
  });

  test("a journal that ends before the snapshot is not gone on with: a new one leaves no gap", async () => {
    const cache = await registry.opened();
    for (const name of ["a", "b", "c"]) cache.upsert(server(name));
    await cache.close();
    const [header = ""] = (await readFile(`${registry.file}.log`, "utf8")).split("\n");
    await writeFile(`${registry.file}.log`, `${header}\n`);
    const later = await registry.opened();
    later.upsert(server("d"));
    await later.close();
    await writeFile(registry.file, "{");
    const rebuilt = await registry.opened();
    expect(namesOf(rebuilt)).toEqual(["a", "b", "c", "d"]);
    expect(rebuilt.problems.join("; ")).not.toContain("cannot be read any more");
    await rebuilt.close();
  });

  test("a journal that is damaged while it is open is written anew from memory, with nothing lost", async () => {
    const cache = await registry.opened();
    for (const name of ["a", "b", "c"]) cache.upsert(server(name));
    await cache.flush();
    cache.upsert(server("d"));
    await cache.durable();
    const log = await readFile(`${registry.file}.log`, "latin1");
    await writeFile(`${registry.file}.log`, log.replace('"name":"b"', '"name":"X"') + "garbage", "latin1");
    await cache.refresh();
    expect(registry.time.pending).toBe(1);
    expect([namesOf(cache), cache.health]).toEqual([["a", "b", "c", "d"], "degraded"]);
    await cache.flush();
    expect(cache.health).toBe("ok");
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "b", "c", "d"]);
  });
});

describe("RegistryMemoryCache: onChange (R10)", () => {
  test("tells of each change by whatever hand, once, after it, and not after it was ended", async () => {
    const [cache, other] = [await registry.opened(), await registry.opened()];
    const heard: string[][] = [];
    const end = cache.onChange(() => heard.push(namesOf(cache)));
    cache.upsert(server("a"));
    cache.upsert(server("b"));
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual([["a", "b"]]);
    other.upsert(server("c"));
    await cache.refresh();
    expect(heard.slice(1)).toEqual([["a", "b", "c"]]);
    await cache.flush();
    await cache.refresh();
    cache.upsert(server("c"));
    await Promise.resolve();
    expect(heard).toHaveLength(2);
    end();
    cache.remove("a");
    await Promise.resolve();
    expect(heard).toHaveLength(2);
    await Promise.all([cache.close(), other.close()]);
  });

  test("a listener may change the registry, and one that fails harms nobody", async () => {
    const cache = await registry.opened();
    cache.onChange(() => {
      throw new Error("a bad listener");
    });
    cache.onChange(() => {
      cache.upsert(server("from-a-listener"));
    });
    cache.upsert(server("a"));
    await Promise.resolve();
    expect(namesOf(cache)).toEqual(["a", "from-a-listener"]);
    expect(registry.logger.messages("error")[0]).toBe("A listener to the registry failed");
    await cache.close();
  });

  test("tells of what is wrong, too, and that it is no more", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await Promise.resolve();
    const heard: string[] = [];
    cache.onChange(() => heard.push(cache.health));
    const mend = registry.breakDisk();
    await expect(cache.flush()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await expect(cache.flush()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    mend();
    await cache.flush();
    expect(heard).toEqual(["degraded", "ok"]);
    await cache.close();
  });
});
