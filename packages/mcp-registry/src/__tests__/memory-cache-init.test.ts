import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { RegistryMemoryCache } from "../memory-cache.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { editedFile, newerFile } from "./recovery-fixture.js";
import { contentOf, namesIn, readJson } from "./temp-folder.js";

const registry = useCacheFixture();

describe("RegistryMemoryCache: init and the file as it is found (R10, R12)", () => {
  test("no file, no folder: an empty registry, and none is made", async () => {
    const cache = await registry.opened();
    expect(cache.getAll()).toEqual([]);
    expect([cache.history(), cache.undo(), cache.restore(0)]).toEqual([[], [], []]);
    await cache.refresh();
    await cache.durable();
    await cache.close();
    expect(await readdir(registry.folder.at())).toEqual([]);
  });

  test("concurrent callers share one initialisation", async () => {
    await registry.writeServers({ servers: [server("a"), { name: "" }] });
    const cache = new RegistryMemoryCache({ registryPath: registry.file, logger: registry.logger });
    await Promise.all([cache.init(), cache.init()]);
    expect(registry.logger.messages("warn")).toEqual(["Registry entry set aside"]);
    await cache.close();
  });

  test("a bad entry is set aside with a warning that holds no value, and survives a rewrite", async () => {
    const bad = { name: "bad", transport: "pigeon", env: { KEY: "hunter2" } };
    await registry.writeServers({ servers: [bad, server("a")], other: 1 });
    const cache = await registry.opened();
    expect(namesOf(cache)).toEqual(["a"]);
    expect(registry.logger.lines).toMatchObject([
      { level: "warn", message: "Registry entry set aside", fields: { index: 0, name: "bad" } },
    ]);
    expect(cache.problems).toEqual([expect.stringMatching(/^servers\[0\] \("bad"\) is not served: transport: /)]);
    cache.upsert(server("b"));
    await cache.flush();
    await cache.refresh();
    expect(await contentOf(registry.file)).toEqual({ servers: [bad, server("a"), server("b")], other: 1 });
    expect(registry.logger.messages("warn")).toHaveLength(1);
    expect(JSON.stringify(registry.logger.lines)).not.toContain("hunter2");
    expect(cache.remove("bad")).toBe(true);
    await cache.close();
    expect(await namesIn(registry.file)).toEqual(["a", "b"]);
  });

  test("a nameless bad entry is told by its place", async () => {
    await registry.writeServers({ servers: [7] });
    const cache = await registry.opened();
    expect(cache.problems).toEqual([expect.stringMatching(/^servers\[0\] is not served: /)]);
    await cache.close();
  });

  test.each([
    ["torn", '{"servers": [{"name": "a", "env": {"K": "hunter2'],
    ["empty", ""],
    ["not an object", "[]"],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
  ])("a file that is %s is kept aside, logged, never silently replaced (R11)", async (_, content) => {
    await mkdir(path.dirname(registry.file));
    await writeFile(registry.file, content);
    const cache = await registry.opened();
    expect(cache.getAll()).toEqual([]);
    const kept = "servers.json.corrupt-20231114T221320000Z";
    expect(await readFile(registry.folder.at("mcp", kept))).toEqual(Buffer.from(content));
    expect(registry.logger.messages("error")).toEqual(["Failed to load registry"]);
    expect(cache.problems).toEqual([
      expect.stringMatching(
        /^servers\.json is damaged: .*; there is no journal to rebuild it from: mend it, or move it away to begin anew$/,
      ),
      `the damaged file is kept beside it as ${kept}`,
    ]);
    expect(cache.health).toBe("degraded");
    expect(JSON.stringify(registry.logger.lines)).not.toContain("hunter2");
    await cache.flush();
    expect(await readFile(registry.file)).toEqual(Buffer.from(content));
    cache.upsert(server("new"));
    await cache.close();
    expect(await namesIn(registry.file)).toEqual(["new"]);
    expect(await readFile(registry.folder.at("mcp", kept))).toEqual(Buffer.from(content));
    expect((await registry.files()).filter((name) => name.includes("corrupt"))).toEqual([kept]);
  });

  test("one that cannot be read rejects, is logged, and nothing is ever written over it", async () => {
    await mkdir(registry.file, { recursive: true });
    const cache = new RegistryMemoryCache({ registryPath: registry.file, logger: registry.logger });
    await expect(cache.init()).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining("servers.json") as string,
    });
    expect(registry.logger.messages("error")).toEqual(["Failed to load registry"]);
    expect(() => cache.getAll()).toThrow(/before init/);
    await rm(registry.file, { recursive: true });
    await registry.writeServers({ servers: [server("a")] });
    await cache.init();
    expect(namesOf(cache)).toEqual(["a"]);
    await cache.close();
  });

  test("an instance abandoned without close locks nobody out, and what it changed is there", async () => {
    const abandoned = await registry.openedToKill();
    abandoned.cache.upsert(server("unflushed"));
    const second = await registry.opened();
    second.upsert(server("second"));
    expect(namesOf(second)).toEqual(["unflushed", "second"]);
    await second.close();
    expect(await namesIn(registry.file)).toEqual(["unflushed", "second"]);
    abandoned.kill();
  });

  test("one that was killed after each call: every change that returned is there (R11)", async () => {
    for (const name of ["a", "b", "c"]) {
      const { cache, kill } = await registry.openedToKill();
      cache.upsert(server(name));
      kill();
    }
    const { cache, kill } = await registry.openedToKill();
    cache.remove("b");
    kill();
    expect(await registry.namesAfterReopening()).toEqual(["a", "c"]);
  });

  test("an edited file whose journal is gone is one registry from then on", async () => {
    await registry.writeServers({});
    await writeFile(registry.file, editedFile({ servers: [server("a"), server("b")] }, { servers: [server("a")] }));
    const { cache, kill } = await registry.openedToKill();
    await cache.flush();
    cache.upsert(server("c"));
    kill();
    const again = await registry.opened();
    expect([namesOf(again), again.problems]).toEqual([["a", "b", "c"], []]);
    await again.close();
    expect(await readJson(registry.file)).toMatchObject({
      _meta: { id: expect.stringMatching(/^[0-9a-f]{16}$/) as string },
    });
  });

  test("a file written by a newer program is refused, and stays as it is", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.close();
    await writeFile(registry.file, newerFile(2));
    await expect(registry.opened()).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: `${registry.file} has version 2 of its form: use a newer cortex-mcp`,
    });
    expect(await readFile(registry.file, "utf8")).toBe(newerFile(2));
  });
});
