import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Logger } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { specOf } from "../../../__tests__/support/specs.js";
import { useTempFolder } from "../../map/__tests__/temp-folder.js";
import type { CatalogStore, StoredPart } from "../catalog-store.js";
import { fileCatalogStore } from "../file-catalog-store.js";
import { storedOf } from "./warm-set-up.js";

const at = useTempFolder();
const folder = (): string => at("mcp", "state", "catalog");
const fileOf = (key: string): string => path.join(folder(), `${createHash("sha256").update(key).digest("hex")}.json`);
const files = async (): Promise<string[]> => (await readdir(folder())).toSorted();

function open(logger: Logger = new RecordingLogger()): { store: CatalogStore; time: ManualTime } {
  const time = new ManualTime();
  return { time, store: fileCatalogStore({ folder: folder(), logger, timers: time }) };
}

/** What a gateway that starts now reads, and what it says about the rest. */
async function read(): Promise<{ keys: string[]; stored: ReadonlyMap<string, StoredPart>; logger: RecordingLogger }> {
  const logger = new RecordingLogger();
  const { store } = open(logger);
  const stored = await store.load();
  await store.close();
  return { keys: [...stored.keys()].toSorted(), stored, logger };
}

async function saved(...parts: readonly StoredPart[]): Promise<void> {
  const { store } = open();
  for (const part of parts) store.save(part);
  await store.close();
}

const a = storedOf(specOf("a"), "x");

describe("the file store of what connectors offer (R4, R23)", () => {
  test("gives back what was saved; the folder and the files are the owner's alone, and no secret is in them", async () => {
    const transport = {
      kind: "http",
      url: "http://127.0.0.1:9/a?token=hush",
      headers: { authorization: "Bearer hush" },
    } as const;
    const secretive = storedOf(specOf("a", { transport }), "x");
    await saved(secretive, storedOf(specOf("b"), "y"));
    expect((await read()).stored.get("a")).toEqual(secretive);
    expect((await stat(folder())).mode & 0o777).toBe(0o700);
    expect((await stat(fileOf("a"))).mode & 0o777).toBe(0o600);
    expect(await readFile(fileOf("a"), "utf8")).not.toContain("hush");
  });

  test("with nothing stored there is nothing, and no folder is made", async () => {
    const { keys, logger } = await read();
    expect(keys).toEqual([]);
    expect(logger.lines).toEqual([]);
    await expect(stat(folder())).rejects.toThrow("ENOENT");
  });

  test("keys that differ only in case have files of their own", async () => {
    await saved(storedOf(specOf("Tools"), "upper"), storedOf(specOf("tools"), "lower"));
    const { keys, stored } = await read();
    expect(keys).toEqual(["Tools", "tools"]);
    expect(JSON.stringify(stored.get("Tools"))).toContain("upper");
    expect(await files()).toHaveLength(2);
  });

  test("a storm of changes is written once a second, the last one as it is", async () => {
    const { store, time } = open();
    for (let round = 0; round < 100; round += 1) store.save(storedOf(specOf("a"), `tool-${round}`));
    await time.advance(999);
    await expect(stat(folder())).rejects.toThrow("ENOENT");
    expect(time.pending).toBe(1);
    await time.advance(1);
    await vi.waitFor(async () => expect((await read()).keys).toEqual(["a"]));
    expect(JSON.stringify((await read()).stored.get("a"))).toContain("tool-99");
    await store.close();
    expect(time.pending).toBe(0);
  });

  test("what is saved while another is written follows a second later", async () => {
    const { store, time } = open();
    store.save(a);
    await time.advance(1_000);
    store.save(storedOf(specOf("b"), "y"));
    await vi.waitFor(() => expect(time.pending).toBe(1));
    await time.advance(1_000);
    await vi.waitFor(async () => expect(await files()).toHaveLength(2));
    await store.close();
  });

  test("what a file holds already is not written again, also after a restart", async () => {
    await saved(a);
    const before = await stat(fileOf("a"));
    const { store } = open();
    await store.load();
    store.save(a);
    await store.close();
    expect((await stat(fileOf("a"))).ino).toBe(before.ino);
  });

  test("removed is removed, also when it was saved just before; closed is closed", async () => {
    await saved(a, storedOf(specOf("b"), "y"));
    const { store } = open();
    store.remove("a");
    store.save(storedOf(specOf("c"), "z"));
    store.remove("c");
    await store.close();
    store.save(a);
    await store.close();
    expect((await read()).keys).toEqual(["b"]);
  });

  test("a file with a byte flipped is never served: it is removed, told, and written anew", async () => {
    await saved(a, storedOf(specOf("b"), "y"));
    const sound = await readFile(fileOf("a"));
    for (let byte = 0; byte < sound.length; byte += 23) {
      const damaged = Buffer.from(sound);
      damaged.writeUInt8(sound.readUInt8(byte) ^ 0x10, byte);
      await writeFile(fileOf("a"), damaged);
      const { keys, logger } = await read();
      expect(keys).toEqual(["b"]);
      expect(logger.messages("warn")).toEqual(["Stored lists of a connector are dropped, and listed anew"]);
      expect(await files()).toHaveLength(1);
    }
    await saved(a);
    expect((await read()).keys).toEqual(["a", "b"]);
  });

  test.each([
    ["is half written", async () => truncate(fileOf("a"), 100)],
    ["is empty", async () => truncate(fileOf("a"), 0)],
    ["is larger than 32 MiB", async () => truncate(fileOf("a"), 32 * 1024 * 1024 + 1)],
    ["holds another connector's lists", async () => rename(fileOf("b"), fileOf("a"))],
    [
      "is a link to somewhere else",
      async () => {
        await rename(fileOf("a"), at("elsewhere"));
        await symlink(at("elsewhere"), fileOf("a"));
      },
    ],
  ])("a file that %s is dropped and told, and the others are served", async (_what, damage) => {
    await saved(a, storedOf(specOf("b"), "y"), storedOf(specOf("c"), "z"));
    await damage();
    const { keys, logger } = await read();
    expect(keys).not.toContain("a");
    expect(keys).toContain("c");
    expect(logger.messages("warn")).toEqual(["Stored lists of a connector are dropped, and listed anew"]);
    expect(await files()).not.toContain(path.basename(fileOf("a")));
  });

  test("what can be neither read nor removed is told, and harms nothing", async () => {
    await saved(storedOf(specOf("b"), "y"));
    await mkdir(path.join(fileOf("a"), "inside"), { recursive: true });
    const { keys, logger } = await read();
    expect(keys).toEqual(["b"]);
    expect(logger.messages("warn")).toEqual([
      "Stored lists of a connector are dropped, and listed anew",
      "A stored list cannot be removed",
    ]);
  });

  test("temporary files of a gateway that was killed are swept; what is not ours stays", async () => {
    await saved(a);
    await writeFile(`${fileOf("a")}-0123456789abcdef.tmp`, "half");
    await writeFile(path.join(folder(), "notes.txt"), "mine");
    expect((await read()).keys).toEqual(["a"]);
    expect(await files()).toEqual([path.basename(fileOf("a")), "notes.txt"]);
  });

  test("a folder that cannot be written or read is told each time, and nothing else comes of it", async () => {
    await mkdir(path.dirname(folder()), { recursive: true });
    await writeFile(folder(), "in the way");
    const logger = new RecordingLogger();
    const { store } = open(logger);
    expect((await store.load()).size).toBe(0);
    expect(logger.messages("warn")).toEqual(["The stored lists cannot be read"]);
    store.save(a);
    await store.close();
    expect(logger.messages("warn")).toContain("What the connector lists could not be stored");
    await rm(folder());
    await saved(a);
    expect((await read()).keys).toEqual(["a"]);
  });

  test("lists of more than 32 MiB are not stored, and those before them neither", async () => {
    await saved(a);
    const logger = new RecordingLogger();
    const { store } = open(logger);
    store.save(storedOf(specOf("a"), "x".repeat(33 * 1024 * 1024)));
    await store.close();
    expect(logger.messages("warn")).toEqual(["What the connector lists is too long to be stored"]);
    expect(await files()).toEqual([]);
  });
});
