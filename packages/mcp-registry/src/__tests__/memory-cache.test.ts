import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { describe, expect, test, vi } from "vitest";
import { acquireLock } from "../lock.js";
import { RegistryMemoryCache } from "../memory-cache.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { namesIn, readJson } from "./temp-folder.js";

const registry = useCacheFixture();

describe("RegistryMemoryCache: the case matrix of the registry (R19)", () => {
  test("upsert and read: in memory at once, on the disk after flush", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    expect(cache.getAll()).toEqual([server("a")]);
    await expect(stat(registry.file)).rejects.toMatchObject({ code: "ENOENT" });
    await cache.flush();
    expect(await readJson(registry.file)).toEqual({ servers: [server("a")] });
    expect(registry.logger.messages("info")).toEqual(["Flushed registry to disk"]);
    await cache.close();
  });

  test("remove missing: false, and nothing to write", async () => {
    const cache = await registry.opened();
    expect(cache.remove("nobody")).toBe(false);
    expect(registry.time.pending).toBe(0);
    await cache.close();
    await expect(stat(registry.file)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("flush I/O error: an explicit flush rejects, keeps the data and succeeds later", async () => {
    const cache = await registry.opened();
    cache.upsert(server("kept"));
    await cache.flush();
    const mend = await registry.breakDisk();
    cache.upsert(server("new"));
    await expect(cache.flush()).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining(path.dirname(registry.file)) as string,
    });
    expect(namesOf(cache)).toEqual(["kept", "new"]);
    await mend();
    await cache.flush();
    expect(await namesIn(registry.file)).toEqual(["kept", "new"]);
    await cache.close();
  });

  test("flush I/O error: the periodic flush logs, throws nothing and tries again", async () => {
    const cache = await registry.opened();
    const mend = await registry.breakDisk();
    cache.upsert(server("a"));
    await registry.time.advance(5_000);
    await vi.waitFor(() => expect(registry.logger.messages("warn")).toEqual(["Registry flush failed"]));
    expect(registry.logger.lines.at(-1)?.fields["err"]).toMatchObject({ code: "REGISTRY_IO" });
    await mend();
    await registry.time.advance(5_000);
    await vi.waitFor(async () => expect(await namesIn(registry.file)).toEqual(["a"]));
    await cache.close();
  });

  test("same name twice: one server, the later one, in the earlier one's place", async () => {
    const cache = await registry.opened();
    for (const entry of [server("a", "1"), server("b"), server("a", "2")]) cache.upsert(entry);
    await cache.close();
    expect(await readJson(registry.file)).toEqual({ servers: [server("a", "2"), server("b")] });
  });

  test("race with the periodic flush: what changes while it writes is written by the next", async () => {
    const cache = await registry.opened();
    await mkdir(path.dirname(registry.file), { recursive: true });
    const lock = await acquireLock(`${registry.file}.lock`);
    cache.upsert(server("a", "1"));
    cache.upsert(server("b"));
    await registry.time.advance(5_000);
    cache.upsert(server("a", "2"));
    cache.remove("b");
    cache.upsert(server("c"));
    await lock.release();
    await vi.waitFor(async () => expect(await namesIn(registry.file)).toEqual(["a", "b"]));
    expect(cache.getAll()).toEqual([server("a", "2"), server("c")]);
    await registry.time.advance(5_000);
    await vi.waitFor(async () =>
      expect(await readJson(registry.file)).toEqual({ servers: [server("a", "2"), server("c")] }),
    );
    await cache.close();
  });

  test("close during flush: everything is written, also what came after the flush began", async () => {
    const cache = await registry.opened();
    await mkdir(path.dirname(registry.file), { recursive: true });
    const lock = await acquireLock(`${registry.file}.lock`);
    cache.upsert(server("a"));
    const flushing = cache.flush();
    await registry.time.advance(0);
    cache.upsert(server("b"));
    const closing = cache.close();
    await lock.release();
    await Promise.all([flushing, closing]);
    expect(await namesIn(registry.file)).toEqual(["a", "b"]);
  });
});

describe("RegistryMemoryCache: reads and changes (R10)", () => {
  test("what is given and what is got are the caller's own", async () => {
    const cache = await registry.opened();
    const given = { name: "a", command: "run", args: ["x"], extra: { deep: 1 } };
    cache.upsert(given);
    given.args.push("y");
    const got = cache.getAll();
    expect(got).toEqual([{ name: "a", command: "run", args: ["x"], extra: { deep: 1 } }]);
    got[0]?.args?.push("z");
    got.pop();
    expect(cache.getAll()[0]?.args).toEqual(["x"]);
    await cache.close();
  });

  test("names that differ in case stay apart, and __proto__ is one", async () => {
    const cache = await registry.opened();
    for (const name of ["a", "A", "__proto__"]) cache.upsert(server(name));
    await cache.flush();
    await cache.refresh();
    expect(namesOf(cache)).toEqual(["a", "A", "__proto__"]);
    expect(cache.remove("__proto__")).toBe(true);
    expect(cache.remove("toString")).toBe(false);
    await cache.close();
    expect(await namesIn(registry.file)).toEqual(["a", "A"]);
  });

  test.each<[string, ServerInfo]>([
    ["a name that is a path", { name: "../x", command: "run" }],
    ["no command and no endpoint", { name: "x" }],
    ["what JSON cannot hold", { name: "x", command: "run", extra: 1n }],
  ])("%s is refused, and nothing changes", async (_, entry) => {
    const cache = await registry.opened();
    expect(() => cache.upsert(entry)).toThrow(expect.objectContaining({ code: "USER_INPUT" }));
    expect(cache.getAll()).toEqual([]);
    expect(registry.time.pending).toBe(0);
    await cache.close();
  });

  test("refresh: changes that are not written yet stay on top of what others did", async () => {
    await registry.writeServers({ servers: [server("a"), server("b")] });
    const cache = await registry.opened();
    cache.upsert(server("a", "mine"));
    cache.remove("b");
    await registry.writeServers({ servers: [server("a"), server("b"), server("c")] });
    await cache.refresh();
    expect(cache.getAll()).toEqual([server("a", "mine"), server("c")]);
    await cache.close();
    expect(await readJson(registry.file)).toEqual({ servers: [server("a", "mine"), server("c")] });
  });

  test("refresh: a file that is gone is empty; one that is half-written changes nothing and is told once", async () => {
    await registry.writeServers({ servers: [server("a")] });
    const cache = await registry.opened();
    await writeFile(registry.file, '{"servers": [');
    await cache.refresh();
    await cache.refresh();
    expect(namesOf(cache)).toEqual(["a"]);
    expect(registry.logger.messages("error")).toEqual(["Failed to load registry"]);
    expect(cache.problems).toEqual([expect.stringContaining("is not valid JSON")]);
    expect(await readdir(path.dirname(registry.file))).toEqual(["servers.json"]);
    await rm(registry.file);
    await cache.refresh();
    expect([cache.getAll(), cache.problems]).toEqual([[], []]);
    await cache.close();
  });

  test("a file as clients have it, with mcpServers and no servers, is empty, and is told once why", async () => {
    await registry.writeServers({ mcpServers: { a: { command: "run", env: { KEY: "s3cret" } } } });
    const cache = await registry.opened();
    await cache.refresh();
    const reason =
      "it has mcpServers but no servers, so nothing is served; add each of them with cortex-mcp add-json, or make a list named servers of them";
    expect([cache.getAll(), cache.problems]).toEqual([[], [reason]]);
    expect(registry.logger.lines).toEqual([
      {
        level: "warn",
        fields: { brand: "brAInwav", registryPath: registry.file, reason },
        message: "Registry serves nothing",
      },
    ]);
    cache.upsert(server("b"));
    await cache.flush();
    expect([namesOf(cache), cache.problems]).toEqual([["b"], []]);
    expect(await readJson(registry.file)).toMatchObject({ mcpServers: { a: {} }, servers: [server("b")] });
    await cache.close();
  });

  test("before init nothing works, and says so", async () => {
    const cache = new RegistryMemoryCache({ registryPath: registry.file });
    const error = expect.objectContaining({ code: "INTERNAL" }) as Error;
    expect(() => cache.getAll()).toThrow(error);
    expect(() => cache.upsert(server("a"))).toThrow(error);
    expect(() => cache.remove("a")).toThrow(error);
    await expect(cache.refresh()).rejects.toThrow(error);
    await cache.close();
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
    expect(namesOf(cache)).toEqual(["a"]);
    await cache.flush();
    await registry.time.advance(60_000);
    expect(await namesIn(registry.file)).toEqual(["a"]);
  });

  test("waits for an init that is under way, and ends one that comes later", async () => {
    await registry.writeServers({ servers: [server("a")] });
    const cache = new RegistryMemoryCache({ registryPath: registry.file });
    const initialising = cache.init();
    await cache.close();
    await initialising;
    expect(() => cache.upsert(server("b"))).toThrow(/after close/);
    const never = new RegistryMemoryCache({ registryPath: registry.file });
    await never.close();
    await expect(never.init()).rejects.toThrow(/after close/);
  });

  test("rejects when the last flush fails, leaves no timer, and may be tried again", async () => {
    const cache = await registry.opened();
    const mend = await registry.breakDisk();
    cache.upsert(server("a"));
    await expect(cache.close()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    expect(registry.time.pending).toBe(0);
    await mend();
    await cache.close();
    expect(await namesIn(registry.file)).toEqual(["a"]);
  });
});
