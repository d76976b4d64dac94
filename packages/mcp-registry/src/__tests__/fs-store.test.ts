import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as shared from "../fs-store.js";
import { acquireLock } from "../lock.js";
import { contentOf, namesIn, useTempFolder } from "./temp-folder.js";

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
  test("a change is in the journal, durably, when its promise resolves; servers.json follows by itself", async () => {
    await store.upsert(server("a"));
    const journal = await readFile(`${file()}.log`, "utf8");
    expect(journal).toContain('"v":{"name":"a","command":"run"}');
    expect(journal).toMatch(/\{"e":1,"m":1,"d":\d+\}\n$/);
    await vi.waitFor(async () => expect(await contentOf(file())).toEqual({ servers: [server("a")] }));
    expect(await store.remove("a")).toBe(true);
    await vi.waitFor(async () => expect(await contentOf(file())).toEqual({ servers: [] }));
    expect(await store.remove("a")).toBe(false);
  });

  test("servers.json is written when closeRegistryCache resolves", async () => {
    await store.upsert(server("a"));
    await store.upsert(server("b"));
    await store.closeRegistryCache();
    expect(await contentOf(file())).toEqual({ servers: [server("a"), server("b")] });
  });

  test("history, undo and restore work on what all did (R14)", async () => {
    const other = new shared.FsStore({ env });
    const before = Date.now();
    await store.upsert(server("a"));
    await other.upsert(server("b"));
    expect((await store.history()).map(({ kind, name }) => [kind, name])).toEqual([
      ["added", "a"],
      ["added", "b"],
    ]);
    expect((await store.undo()).map(({ name }) => name)).toEqual(["b"]);
    expect(await other.readAll()).toEqual([server("a")]);
    expect((await other.restore(before - 1)).map(({ name }) => name)).toEqual(["a", "b", "b"]);
    expect(await store.readAll()).toEqual([]);
    await expect(store.restore(Number.NaN)).rejects.toMatchObject({ code: "USER_INPUT" });
    await other.closeRegistryCache();
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
    await store.closeRegistryCache();
    expect(await namesIn(file())).toEqual(["a", "b"]);
    expect(await store.readAll()).toEqual([]);
    await store.upsert(server("c"));
    await store.closeRegistryCache();
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
    expect(await store.readAll()).toEqual([server("a")]);
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
    await store.closeRegistryCache();
    await writeFile(file(), JSON.stringify({ note: "mine", servers: [server("by-hand")] }));
    await store.upsert(server("b"));
    await store.closeRegistryCache();
    expect(await contentOf(file())).toEqual({ note: "mine", servers: [server("by-hand"), server("b")] });
    await writeFile(file(), JSON.stringify({ servers: [server("later")] }));
    expect(await store.remove("later")).toBe(true);
    await store.closeRegistryCache();
    expect(await namesIn(file())).toEqual([]);
  });

  test("many changes at once in one process are all kept", async () => {
    const other = new shared.FsStore({ env });
    const names = Array.from({ length: 60 }, (_, index) => `s${index}`);
    await Promise.all(names.map((name, index) => (index % 2 === 0 ? store : other).upsert(server(name))));
    expect((await store.readAll()).map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    await Promise.all([store.closeRegistryCache(), other.closeRegistryCache()]);
    expect((await namesIn(file())).toSorted()).toEqual(names.toSorted());
  });

  test("a server that is refused leaves no trace", async () => {
    await expect(store.upsert({ name: "no/slash", command: "x" })).rejects.toMatchObject({ code: "USER_INPUT" });
    await expect(stat(file())).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("somebody who keeps the lock is named, and then nothing has changed", { timeout: 60_000 }, async () => {
    store = new shared.FsStore({ env, lock: { waitMs: 30 } });
    await mkdir(folder.at("mcp"));
    const lock = await acquireLock(`${file()}.lock`);
    await expect(store.upsert(server("a"))).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining(`process ${process.pid}`) as string,
    });
    await lock.release();
    await store.upsert(server("b"));
    await store.closeRegistryCache();
    expect(await namesIn(file())).toEqual(["b"]);
  });
});

test("the module's own functions are a store at the place the process's environment names (R12)", async () => {
  vi.stubEnv("CORTEX_HOME", folder.at("home"));
  expect(shared.getRegistryCache()).toBeNull();
  await shared.upsert(server("a"));
  expect(await shared.readAll()).toEqual([server("a")]);
  expect(shared.getRegistryCache()?.getAll()).toEqual([server("a")]);
  expect(await readFile(folder.at("home", "mcp", "servers.json.log"), "utf8")).toContain('"a"');
  expect(await shared.remove("a")).toBe(true);
  await shared.closeRegistryCache();
  expect(shared.getRegistryCache()).toBeNull();
});

test("where the registry is cannot be told: the promise rejects, and the next call looks again (R12)", async () => {
  const refusal = new Error("no home");
  let isHomeless = true;
  const lost = new shared.FsStore({
    env: {
      get CORTEX_HOME() {
        if (isHomeless) throw refusal;
        return folder.at();
      },
    },
  });
  await expect(lost.readAll()).rejects.toBe(refusal);
  isHomeless = false;
  expect(await lost.readAll()).toEqual([]);
  await lost.closeRegistryCache();
});
