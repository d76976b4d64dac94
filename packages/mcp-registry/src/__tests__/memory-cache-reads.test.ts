import type { ServerInfo } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { RegistryMemoryCache } from "../memory-cache.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { contentOf, namesIn } from "./temp-folder.js";

const registry = useCacheFixture();

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

  test("entries are frozen, and the same array until something changes", async () => {
    const cache = await registry.opened();
    cache.upsert({ ...server("a"), args: ["x"] });
    const { entries } = cache;
    expect(cache.entries).toBe(entries);
    expect(entries.every(({ args }) => Object.isFrozen(args))).toBe(true);
    cache.upsert({ ...server("a"), args: ["x"] });
    expect(cache.entries).toBe(entries);
    cache.upsert(server("b"));
    expect(cache.entries).not.toBe(entries);
    expect(entries).toHaveLength(1);
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
    ["a name that is a path up", { name: "..", command: "run" }],
    ["an absolute name", { name: "/etc/passwd", command: "run" }],
    ["a name with a drive", { name: "C:x", command: "run" }],
    ["a name with a null", { name: "a\0b", command: "run" }],
    ["a name with a dot", { name: "servers.json", command: "run" }],
    ["an empty name", { name: "", command: "run" }],
    ["a name of 33 characters", { name: "x".repeat(33), command: "run" }],
    ["no command and no endpoint", { name: "x" }],
    ["what JSON cannot hold", { name: "x", command: "run", extra: 1n }],
    ["more than 256 KiB", { name: "x", command: "run", extra: "x".repeat(256 * 1024) }],
    ["more than a frame holds", { name: "x", command: "run", extra: "x".repeat(2 * 1024 * 1024) }],
  ])("%s is refused, and nothing changes", async (_, entry) => {
    const cache = await registry.opened();
    expect(() => cache.upsert(entry)).toThrow(expect.objectContaining({ code: "USER_INPUT" }));
    expect(cache.getAll()).toEqual([]);
    expect(registry.time.pending).toBe(0);
    await cache.close();
  });

  test("a registry that is full says so, and what is there can still be removed", async () => {
    const large = Array.from({ length: 40 }, (_, index) => ({ ...server(`s${index}`), extra: "x".repeat(200 * 1024) }));
    const cache = await registry.opened();
    for (const entry of large) cache.upsert(entry);
    const more = { ...server("more"), extra: "x".repeat(250 * 1024) };
    expect(() => cache.upsert(more)).toThrow(
      expect.objectContaining({
        code: "USER_INPUT",
        message: "the registry is full: all servers together may have 8388608 bytes",
      }),
    );
    expect(namesOf(cache)).toHaveLength(40);
    cache.remove("s0");
    cache.remove("s1");
    cache.upsert(more);
    await cache.close();
    expect(await registry.namesAfterReopening()).toContain("more");
  });

  test("a file edited by hand beyond that limit is served, taken down in the journal, and can be made smaller", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    const large = Array.from({ length: 45 }, (_, index) => ({ ...server(`s${index}`), extra: "x".repeat(200 * 1024) }));
    await registry.writeServers({ servers: large });
    await cache.refresh();
    expect(namesOf(cache)).toHaveLength(45);
    expect(cache.remove("s0")).toBe(true);
    expect(cache.health).toBe("ok");
    expect(() => cache.upsert(server("a"))).toThrow(/the registry is full/);
    await cache.close();
    expect(await namesIn(registry.file)).toHaveLength(44);
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
    expect(await contentOf(registry.file)).toMatchObject({ mcpServers: { a: {} }, servers: [server("b")] });
    await cache.close();
  });

  test("before init nothing works, and says so", async () => {
    const cache = new RegistryMemoryCache({ registryPath: registry.file });
    const error = expect.objectContaining({ code: "INTERNAL" }) as Error;
    expect(() => cache.getAll()).toThrow(error);
    expect(() => cache.upsert(server("a"))).toThrow(error);
    expect(() => cache.remove("a")).toThrow(error);
    expect(() => cache.history()).toThrow(error);
    expect(() => cache.undo()).toThrow(error);
    await expect(cache.refresh()).rejects.toThrow(error);
    await cache.flush();
    await cache.close();
  });
});

describe("RegistryMemoryCache: a change that cannot be written (R11)", () => {
  test.each([
    ["the journal cannot be made", "open", /^servers\.json\.log\.tmp/],
    ["the journal cannot be put in its place", "link", /^servers\.json\.log$/],
    ["the lock cannot be made", "symlink", /\.lock$/],
    ["the folder cannot be made", "makeFolder", /./],
  ] as const)("%s: upsert throws, and nothing has changed", async (_, call, file) => {
    const cache = await registry.opened();
    const mend = registry.fs.refuse(call, file, "ENOSPC");
    expect(() => cache.upsert(server("a"))).toThrow(
      expect.objectContaining({ code: "REGISTRY_IO", message: expect.stringContaining("no space left") as string }),
    );
    expect(cache.getAll()).toEqual([]);
    mend();
    cache.upsert(server("b"));
    await cache.close();
    expect(await namesIn(registry.file)).toEqual(["b"]);
  });

  test("a frame that was written in part is cut off again", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const mend = registry.fs.refuse("write", /^servers\.json\.log\./, "EIO");
    expect(() => cache.upsert(server("b"))).toThrow(expect.objectContaining({ code: "REGISTRY_IO" }));
    mend();
    expect(namesOf(cache)).toEqual(["a"]);
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a"]);
  });

  test("one that cannot be cut off either is dropped by the next change, and kept as torn", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    registry.fs.halfWrite(/^servers\.json\.log/);
    const mend = registry.fs.refuse("truncate", /./, "EIO");
    expect(() => cache.upsert(server("b"))).toThrow(expect.objectContaining({ code: "REGISTRY_IO" }));
    mend();
    cache.upsert(server("c"));
    expect(namesOf(cache)).toEqual(["a", "c"]);
    expect(await registry.files()).toContain("servers.json.log.torn-20231114T221320000Z");
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "c"]);
  });

  test("whatever stands in the way of taking in what others did is a REGISTRY_IO", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    registry.fs.halfWrite(/^servers\.json\.log/);
    registry.fs.refuse("truncate", /./, "EIO", 1);
    expect(() => cache.upsert(server("b"))).toThrow(expect.objectContaining({ code: "REGISTRY_IO" }));
    registry.fs.refuse("open", /\.torn-/, "ENOSPC", 1);
    expect(() => cache.upsert(server("b"))).toThrow(expect.objectContaining({ code: "REGISTRY_IO" }));
    registry.fs.refuse("list", /./, "EACCES", 1);
    expect(() => cache.undo()).toThrow(expect.objectContaining({ code: "REGISTRY_IO" }));
    cache.upsert(server("b"));
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "b"]);
  });
});
