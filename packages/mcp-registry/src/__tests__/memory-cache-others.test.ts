import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { acquireLock } from "../lock.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { contentOf, namesIn, readJson } from "./temp-folder.js";

const registry = useCacheFixture();

/** Saves the registry as an editor does that read it `before`: with the `_meta` it had then. */
async function saveByHand(before: unknown, servers: unknown[], more: object = {}): Promise<void> {
  await writeFile(registry.file, JSON.stringify({ ...(before as object), ...more, servers }));
}

describe("RegistryMemoryCache: several instances (R11, R12)", () => {
  test("two in one process see each other's changes after refresh, without any flush", async () => {
    const [first, second] = [await registry.opened(), await registry.opened({ timers: new ManualTime() })];
    first.upsert(server("a"));
    expect(namesOf(second)).toEqual([]);
    await second.refresh();
    expect(namesOf(second)).toEqual(["a"]);
    second.remove("a");
    second.upsert(server("b"));
    await first.refresh();
    expect(namesOf(first)).toEqual(["b"]);
    await second.close();
    await first.close();
    expect(await namesIn(registry.file)).toEqual(["b"]);
  });

  test("a change is made on top of what others did, refreshed or not", async () => {
    const [first, second] = [await registry.opened(), await registry.opened({ timers: new ManualTime() })];
    for (let round = 0; round < 5; round++) {
      first.upsert(server(`first${round}`));
      second.upsert(server(`second${round}`));
      if (round % 2 === 0) await first.flush();
    }
    expect(namesOf(second)).toHaveLength(10);
    await Promise.all([first.close(), second.close()]);
    expect(await namesIn(registry.file)).toHaveLength(10);
  });

  test("one that could not have the lock when it opened writes nothing over what was not its own", async () => {
    const { cache: first, kill } = await registry.openedToKill();
    first.upsert(server("first"));
    kill();
    const lock = await acquireLock(`${registry.file}.lock`);
    const { cache: second, kill: killSecond } = await registry.openedToKill({ lock: { waitMs: 0 } });
    expect([namesOf(second), second.health]).toEqual([["first"], "degraded"]);
    await lock.release();
    second.upsert(server("second"));
    killSecond();
    expect(await registry.namesAfterReopening()).toEqual(["first", "second"]);
  });

  test("one that could not have the lock for a refresh syncs what it changed before that is called durable", async () => {
    const [cache, other] = [await registry.opened({ lock: { waitMs: 0 } }), await registry.opened()];
    cache.upsert(server("a"));
    other.upsert(server("b"));
    const lock = await acquireLock(`${registry.file}.lock`);
    await cache.refresh();
    expect(namesOf(cache)).toEqual(["a", "b"]);
    await lock.release();
    expect(registry.fs.count("datasync", /\.log/)).toBe(0);
    await cache.durable();
    expect(registry.fs.count("datasync", /\.log/)).toBe(1);
    await Promise.all([cache.close(), other.close()]);
  });
});

describe("RegistryMemoryCache: edits by hand while it is open (R11)", () => {
  test("one is merged, taken down in the journal, and can be taken back", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    const before = await readJson(registry.file);
    await saveByHand(before, [server("a", "edited"), server("by-hand")], { note: "mine" });
    await cache.refresh();
    expect(cache.getAll()).toEqual([server("a", "edited"), server("by-hand")]);
    expect(cache.problems).toEqual([
      "servers.json was changed by hand (a, by-hand): taken as it is. cortex-mcp registry undo takes that back",
    ]);
    expect(cache.history().map(({ kind, name, by }) => [kind, name, by])).toEqual([
      ["added", "a", "command"],
      ["changed", "a", "hand"],
      ["added", "by-hand", "hand"],
      ["arranged", undefined, "hand"],
    ]);
    await cache.close();
    expect(await contentOf(registry.file)).toEqual({
      note: "mine",
      servers: [server("a", "edited"), server("by-hand")],
    });
  });

  test("an editor that saves over a command's change loses nothing", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    const before = await readJson(registry.file);
    cache.upsert(server("command"));
    await cache.flush();
    await saveByHand(before, [server("a"), server("by-hand")]);
    await cache.refresh();
    expect(namesOf(cache).toSorted()).toEqual(["a", "by-hand", "command"]);
    await cache.close();
  });

  test("without _meta it has seen all that ever stood in a file: what is missing from it is removed", async () => {
    await registry.writeServers({ servers: [server("a"), server("b")] });
    const cache = await registry.opened();
    cache.upsert(server("a", "mine"));
    await registry.writeServers({ servers: [server("b"), server("c")] });
    await cache.refresh();
    // The file never held the change of "a": it was made after, and stays.
    expect(cache.getAll()).toEqual([server("b"), server("c"), server("a", "mine")]);
    await cache.flush();
    await registry.writeServers({ servers: [server("c")] });
    await cache.refresh();
    expect(namesOf(cache)).toEqual(["c"]);
    await cache.close();
    expect(await contentOf(registry.file)).toEqual({ servers: [server("c")] });
  });

  test("a file that is half-written changes nothing, is told once, and is left to its editor", async () => {
    await registry.writeServers({ servers: [server("a")] });
    const cache = await registry.opened();
    await writeFile(registry.file, '{"servers": [');
    await cache.refresh();
    await cache.refresh();
    expect(namesOf(cache)).toEqual(["a"]);
    expect(registry.logger.messages("error")).toEqual(["Failed to load registry"]);
    expect(cache.problems).toEqual([
      expect.stringMatching(
        /^servers\.json is damaged: it is not valid JSON.*; it is written anew with the next change, and kept beside that as servers\.json\.corrupt-…$/,
      ),
    ]);
    expect(await registry.files()).toEqual(["servers.json"]);
    expect(registry.time.pending).toBe(0);
    await writeFile(registry.file, JSON.stringify({ servers: [server("a"), server("done")] }));
    await cache.refresh();
    expect([namesOf(cache), cache.problems]).toEqual([["a", "done"], []]);
    await cache.close();
  });

  test("one with something that is no server keeps what is missing from it", async () => {
    const cache = await registry.opened();
    for (const name of ["a", "b"]) cache.upsert(server(name));
    await cache.flush();
    await saveByHand(await readJson(registry.file), [server("a"), { name: "b", comand: "typo" }]);
    await cache.refresh();
    expect(namesOf(cache).toSorted()).toEqual(["a", "b"]);
    await cache.close();
  });

  test("one that cannot be trusted any more rejects, and nothing changes", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await cache.flush();
    await writeFile(registry.file, JSON.stringify({ servers: [server("evil")] }));
    await chmod(registry.file, 0o666);
    await expect(cache.refresh()).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: `${registry.file} is refused: everybody may write to it; chmod 600 ${registry.file}`,
    });
    expect(namesOf(cache)).toEqual(["a"]);
    await chmod(registry.file, 0o600);
    await saveByHand({}, [server("a")]);
    await cache.refresh();
    await cache.close();
  });
});

describe("RegistryMemoryCache: what is taken away while it is open comes back (R11)", () => {
  const deletions: readonly (readonly [string, () => Promise<void>])[] = [
    ["the snapshot", () => rm(registry.file)],
    ["the journal", () => rm(`${registry.file}.log`)],
    ["the older snapshot", () => rm(`${registry.file}.prev`)],
    ["snapshot and journal", async () => void (await Promise.all([rm(registry.file), rm(`${registry.file}.log`)]))],
    ["the folder", () => rm(path.dirname(registry.file), { recursive: true })],
    ["the folder, moved", () => rename(path.dirname(registry.file), registry.folder.at("elsewhere"))],
    [
      "the journal, and the snapshot put back as it was",
      async () => {
        await rm(`${registry.file}.log`);
        await writeFile(registry.file, await readFile(`${registry.file}.prev`));
      },
    ],
    [
      "the journal, and the snapshot torn",
      async () => {
        await rm(`${registry.file}.log`);
        await writeFile(registry.file, "{");
      },
    ],
  ];
  const uses = [
    ["refresh", "a change"],
    ["refresh", "durable"],
    ["a change", "durable"],
    ["flush", "flush"],
    ["refresh", "close"],
  ] as const;

  test.each(deletions.flatMap(([what, remove]) => uses.map((use) => [what, ...use, remove] as const)))(
    "%s: then %s, %s",
    async (_, first, then, remove) => {
      const cache = await registry.opened();
      for (const name of ["a", "b", "c"]) {
        cache.upsert(server(name));
        if (name !== "c") await cache.flush();
      }
      await remove();
      for (const use of [first, then]) {
        if (use === "refresh") await cache.refresh();
        else if (use === "a change") cache.upsert(server("d"));
        else if (use === "durable") await cache.durable();
        else if (use === "flush") await cache.flush();
      }
      const expected = ["a", "b", "c", ...([first, then].includes("a change") ? ["d"] : [])];
      expect(namesOf(cache)).toEqual(expected);
      if (then === "durable" || then === "flush") expect(await registry.namesAfterReopening()).toEqual(expected);
      await cache.close();
      expect(await registry.namesAfterReopening()).toEqual(expected);
      expect(await namesIn(registry.file)).toEqual(expected);
    },
  );

  test("a file and its folder that were not ours come back, too", async () => {
    await registry.writeServers({ servers: [server("a")], note: "mine" });
    const cache = await registry.opened();
    await rm(path.dirname(registry.file), { recursive: true });
    await cache.refresh();
    expect(namesOf(cache)).toEqual(["a"]);
    await cache.close();
    expect(await contentOf(registry.file)).toEqual({ servers: [server("a")], note: "mine" });
  });

  test("one that was opened without a folder takes in one that is made later", async () => {
    const cache = await registry.opened();
    await mkdir(path.dirname(registry.file));
    await registry.writeServers({ servers: [server("a")] });
    await cache.refresh();
    expect(namesOf(cache)).toEqual(["a"]);
    await cache.close();
  });
});
