import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as shared from "../fs-store.js";
import { acquireLock } from "../lock.js";
import { namesIn, readJson, useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
let env: Record<string, string>;
let store: shared.FsStore;
const server = (name: string): { name: string; command: string } => ({ name, command: "run" });
const file = (): string => folder.at("mcp", "servers.json");

beforeEach(() => {
  env = { CORTEX_HOME: folder.at() };
  store = new shared.FsStore({ env });
});

afterEach(async () => {
  await store.closeRegistryCache();
  await shared.closeRegistryCache();
  vi.unstubAllEnvs();
});

describe("FsStore (R12)", () => {
  test("a change is on the disk when its promise resolves", async () => {
    await store.upsert(server("a"));
    expect(await readJson(file())).toEqual({ servers: [server("a")] });
    expect(await store.remove("a")).toBe(true);
    expect(await readJson(file())).toEqual({ servers: [] });
    expect(await store.remove("a")).toBe(false);
  });

  test("getRegistryCache is null before first use, while it opens, and from close on", async () => {
    expect(store.getRegistryCache()).toBeNull();
    const reading = store.readAll();
    expect(store.getRegistryCache()).toBeNull();
    await reading;
    expect(store.getRegistryCache()?.getAll()).toEqual([]);
    const closing = store.closeRegistryCache();
    expect(store.getRegistryCache()).toBeNull();
    await closing;
    expect(store.getRegistryCache()).toBeNull();
    await store.closeRegistryCache();
  });

  test("the path is resolved anew after close, not before", async () => {
    await store.upsert(server("a"));
    env["CORTEX_HOME"] = folder.at("other");
    await store.upsert(server("b"));
    expect(await namesIn(file())).toEqual(["a", "b"]);
    await store.closeRegistryCache();
    expect(await store.readAll()).toEqual([]);
    await store.upsert(server("c"));
    expect(await namesIn(folder.at("other", "mcp", "servers.json"))).toEqual(["c"]);
  });

  test("concurrent first callers share one initialisation, and all see the whole registry", async () => {
    await mkdir(folder.at("mcp"));
    await writeFile(file(), JSON.stringify({ servers: [server("a"), server("b"), 7] }));
    const logger = new RecordingLogger();
    store = new shared.FsStore({ env, logger });
    const all = await Promise.all(Array.from({ length: 10 }, () => store.readAll()));
    expect(all.map((servers) => servers.length)).toEqual(Array.from({ length: 10 }, () => 2));
    expect(logger.messages("warn")).toHaveLength(1);
  });

  test("a first use that fails rejects for all, and the next tries again", async () => {
    await mkdir(file(), { recursive: true });
    const results = await Promise.allSettled([store.readAll(), store.upsert(server("a")), store.remove("a")]);
    expect(results).toMatchObject(
      Array.from({ length: 3 }, () => ({ status: "rejected", reason: { code: "REGISTRY_IO" } })),
    );
    expect(store.getRegistryCache()).toBeNull();
    await rm(file(), { recursive: true });
    await store.upsert(server("a"));
    expect(await store.readAll()).toEqual([server("a")]);
  });

  test("closing while it opens ends what was asked before, and a failed opening closes quietly", async () => {
    const upserting = store.upsert(server("a"));
    await store.closeRegistryCache();
    expect(await namesIn(file())).toEqual(["a"]);
    await upserting;
    await rm(file());
    await mkdir(file());
    const failing = store.readAll();
    await Promise.all([store.closeRegistryCache(), expect(failing).rejects.toMatchObject({ code: "REGISTRY_IO" })]);
    await rm(file(), { recursive: true });
    expect(await store.readAll()).toEqual([]);
  });

  test("a use during close opens anew and loses nothing", async () => {
    await Promise.all([store.upsert(server("a")), store.closeRegistryCache(), store.upsert(server("b"))]);
    expect((await store.readAll()).map(({ name }) => name).toSorted()).toEqual(["a", "b"]);
  });

  test("readAll tells what is in the file now, by whoever's hand", async () => {
    await store.upsert(server("a"));
    await writeFile(file(), JSON.stringify({ servers: [server("a"), server("by-hand")] }));
    expect(await store.readAll()).toEqual([server("a"), server("by-hand")]);
  });

  test("an edit by hand is merged, not overwritten; a removal sees it too", async () => {
    await store.upsert(server("a"));
    await writeFile(file(), JSON.stringify({ note: "mine", servers: [server("by-hand")] }));
    await store.upsert(server("b"));
    expect(await readJson(file())).toEqual({ note: "mine", servers: [server("by-hand"), server("b")] });
    await writeFile(file(), JSON.stringify({ servers: [server("later")] }));
    expect(await store.remove("later")).toBe(true);
    expect(await namesIn(file())).toEqual([]);
  });

  test("many changes at once in one process are all kept", async () => {
    const other = new shared.FsStore({ env });
    const names = Array.from({ length: 60 }, (_, index) => `s${index}`);
    await Promise.all(names.map((name, index) => (index % 2 === 0 ? store : other).upsert(server(name))));
    expect((await namesIn(file())).toSorted()).toEqual(names.toSorted());
    await other.closeRegistryCache();
  });

  test("a server that is refused leaves no trace", async () => {
    await expect(store.upsert({ name: "no/slash", command: "x" })).rejects.toMatchObject({ code: "USER_INPUT" });
    await expect(stat(file())).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("somebody who keeps the lock is named, and the change is written with the next", async () => {
    store = new shared.FsStore({ env, lock: { waitMs: 30 } });
    await mkdir(folder.at("mcp"));
    const lock = await acquireLock(`${file()}.lock`);
    await expect(store.upsert(server("a"))).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining(`process ${process.pid}`) as string,
    });
    await lock.release();
    await store.upsert(server("b"));
    expect(await namesIn(file())).toEqual(["a", "b"]);
  });
});

test("the module's own functions are a store at the place the process's environment names (R12)", async () => {
  vi.stubEnv("CORTEX_HOME", folder.at("home"));
  expect(shared.getRegistryCache()).toBeNull();
  await shared.upsert(server("a"));
  expect(await shared.readAll()).toEqual([server("a")]);
  expect(shared.getRegistryCache()?.getAll()).toEqual([server("a")]);
  expect(await readFile(folder.at("home", "mcp", "servers.json"), "utf8")).toContain('"a"');
  expect(await shared.remove("a")).toBe(true);
  await shared.closeRegistryCache();
  expect(shared.getRegistryCache()).toBeNull();
});
