import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { RegistryChange } from "../history/registry-change.js";
import type { RegistryMemoryCache } from "../memory-cache.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { ID, START_MS, adding, frames, journalFile, looseFile, sealedFile, stdio } from "./recovery-fixture.js";
import { contentOf, readJson } from "./temp-folder.js";

const registry = useCacheFixture();

const told = (changes: readonly RegistryChange[]): unknown[] =>
  changes.map(({ seq, kind, name, by, undone }) => [seq, kind, name, by, ...(undone ? ["undone"] : [])]);

/** Makes each change a second after the one before, and tells when. */
async function made(...steps: readonly (() => void)[]): Promise<number[]> {
  const times: number[] = [];
  for (const step of steps) {
    await registry.time.advance(1_000);
    step();
    times.push(registry.time.now());
  }
  return times;
}

describe("history (R14)", () => {
  test("tells each change once, oldest first, over two journals and in another instance", async () => {
    const cache = await registry.opened({ journalLimitBytes: 0, flushIntervalMs: Infinity });
    const times = await made(
      () => cache.upsert(server("a")),
      () => cache.upsert(server("b")),
    );
    await cache.flush();
    cache.upsert(server("a", "new"));
    await cache.flush();
    cache.remove("b");
    const history = cache.history();
    expect(told(history)).toEqual([
      [1, "added", "a", "command"],
      [2, "added", "b", "command"],
      [3, "changed", "a", "command"],
      [4, "removed", "b", "command"],
    ]);
    expect(history.slice(0, 2).map(({ atMs }) => atMs)).toEqual(times);
    const other = await registry.opened();
    expect(other.history()).toEqual(history);
    await Promise.all([cache.close(), other.close()]);
  });

  test("holds no values", async () => {
    const cache = await registry.opened();
    cache.upsert({ ...server("a"), env: { KEY: "hunter2" } });
    expect(JSON.stringify(cache.history())).not.toContain("hunter2");
    await cache.close();
  });

  test("a journal of another registry beside it tells nothing", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    await writeFile(`${registry.file}.log.1`, journalFile([adding("foreign")], { id: "f".repeat(16) }));
    expect(told(cache.history())).toEqual([[1, "added", "a", "command"]]);
    expect(told(cache.undo())).toEqual([[1, "added", "a", "command", "undone"]]);
    expect(cache.undo()).toEqual([]);
    await cache.close();
    expect(await contentOf(registry.file)).toEqual({ servers: [] });
  });
});

describe("undo (R14)", () => {
  test("takes the latest change back, then the one before it, then there is nothing left", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a", "1"));
    cache.upsert(server("b"));
    cache.upsert(server("a", "2"));
    cache.remove("b");
    expect(told(cache.undo())).toEqual([[4, "removed", "b", "command", "undone"]]);
    expect(cache.getAll()).toEqual([server("a", "2"), server("b")]);
    expect(told(cache.undo())).toEqual([[3, "changed", "a", "command", "undone"]]);
    expect(cache.getAll()).toEqual([server("a", "1"), server("b")]);
    cache.undo();
    cache.undo();
    expect(cache.getAll()).toEqual([]);
    expect(cache.undo()).toEqual([]);
    expect(told(cache.history())).toEqual([
      [1, "added", "a", "command", "undone"],
      [2, "added", "b", "command", "undone"],
      [3, "changed", "a", "command", "undone"],
      [4, "removed", "b", "command", "undone"],
      [5, "added", "b", "undo"],
      [6, "changed", "a", "undo"],
      [7, "removed", "b", "undo"],
      [8, "removed", "a", "undo"],
    ]);
    await cache.close();
  });

  test("what was removed comes back in its place, with what is set aside under its name", async () => {
    const bad = { name: "b", transport: "pigeon" };
    await registry.writeServers({ servers: [server("a"), bad, server("b"), server("c")], note: 1 });
    const cache = await registry.opened();
    cache.remove("b");
    cache.undo();
    await cache.close();
    expect(await contentOf(registry.file)).toEqual({ servers: [server("a"), bad, server("b"), server("c")], note: 1 });
  });

  test("after an undo and a new change it is that one's turn, then that of the older ones", async () => {
    const cache = await registry.opened();
    for (const name of ["a", "b", "c"]) cache.upsert(server(name));
    cache.undo();
    cache.upsert(server("d"));
    expect(told(cache.undo())).toEqual([[5, "added", "d", "command", "undone"]]);
    expect(told(cache.undo())).toEqual([[2, "added", "b", "command", "undone"]]);
    expect(namesOf(cache)).toEqual(["a"]);
    await cache.close();
  });

  test("an edit by hand is one change, in its order and with its unknown members", async () => {
    const cache = await registry.opened();
    for (const name of ["a", "b", "c"]) cache.upsert(server(name));
    await cache.flush();
    const edited = {
      ...((await readJson(registry.file)) as object),
      servers: [server("c", "edited"), { odd: true }, server("new"), server("a")],
      note: "mine",
    };
    await writeFile(registry.file, JSON.stringify(edited));
    await cache.refresh();
    // The odd one may be the missing "b", so that stays.
    expect(namesOf(cache).toSorted()).toEqual(["a", "b", "c", "new"]);
    const undone = cache.undo();
    expect(new Set(undone.map(({ group }) => group)).size).toBe(1);
    expect(undone.every(({ by }) => by === "hand")).toBe(true);
    expect(namesOf(cache)).toEqual(["a", "b", "c"]);
    expect(cache.history().filter(({ undone: isUndone }) => isUndone)).toHaveLength(undone.length);
    await cache.close();
    expect(await contentOf(registry.file)).toEqual({ servers: ["a", "b", "c"].map((name) => server(name)) });
  });

  test("of an edit by hand survives the process, although the edited file is still there", async () => {
    const { cache, kill } = await registry.openedToKill();
    cache.upsert(server("a"));
    await cache.flush();
    await writeFile(registry.file, JSON.stringify({ servers: [server("by-hand")] }));
    await cache.refresh();
    cache.undo();
    expect(namesOf(cache)).toEqual(["a"]);
    kill();
    expect(await registry.namesAfterReopening()).toEqual(["a"]);
  });

  test("works after a restart, and on what another instance did", async () => {
    const first = await registry.opened();
    first.upsert(server("a"));
    first.upsert(server("b"));
    await first.close();
    const [second, third] = [await registry.opened(), await registry.opened()];
    second.upsert(server("c"));
    expect(told(third.undo())).toEqual([[3, "added", "c", "command", "undone"]]);
    expect(told(second.undo())).toEqual([[2, "added", "b", "command", "undone"]]);
    await Promise.all([second.close(), third.close()]);
    expect(await registry.namesAfterReopening()).toEqual(["a"]);
  });
});

describe("restore (R14)", () => {
  test("brings back how it was at a time; that can be undone, and so can what was before it", async () => {
    const cache = await registry.opened({ flushIntervalMs: Infinity });
    const [first = 0, second = 0, , last = 0] = await made(
      () => cache.upsert(server("a", "1")),
      () => cache.upsert(server("b")),
      () => cache.upsert(server("a", "2")),
      () => cache.remove("b"),
    );
    expect(told(cache.restore(second + 500))).toEqual([
      [3, "changed", "a", "command"],
      [4, "removed", "b", "command"],
    ]);
    expect(cache.getAll()).toEqual([server("a", "1"), server("b")]);
    expect(cache.restore(last + 10_000)).toEqual([]);
    expect(told(cache.undo()).every((change) => (change as unknown[])[3] === "restore")).toBe(true);
    expect(cache.getAll()).toEqual([server("a", "2")]);
    cache.restore(first);
    expect(cache.getAll()).toEqual([server("a", "1")]);
    cache.restore(0);
    expect(cache.getAll()).toEqual([]);
    cache.undo();
    expect(cache.getAll()).toEqual([server("a", "1")]);
    await cache.close();
  });

  test.each([
    ["the first change that is still told", 3_000, undefined],
    ["a time before it", 2_999, "the journal begins at 2023-11-14T22:13:23.000Z: how it was before is not known"],
    ["the beginning of time", 0, "how it was before is not known; choose a later time"],
    ["no time", Number.NaN, "no time"],
  ])("%s, when the journal does not reach to the beginning", async (_, afterMs, refusal) => {
    await registry.writeServers({});
    await writeFile(registry.file, sealedFile({ servers: [stdio("old"), stdio("a")] }, { seq: 3 }));
    await writeFile(`${registry.file}.log`, journalFile([adding("a"), adding("b")], { base: 2 }));
    const cache = await registry.opened();
    expect(namesOf(cache)).toEqual(["old", "a", "b"]);
    const atMs = afterMs === 0 ? 0 : registry.time.now() + afterMs;
    if (refusal === undefined) {
      cache.restore(atMs);
      expect(namesOf(cache)).toEqual(["old", "a"]);
    } else {
      expect(() => cache.restore(atMs)).toThrow(
        expect.objectContaining({ code: "USER_INPUT", message: expect.stringContaining(refusal) as string }),
      );
      expect(namesOf(cache)).toEqual(["old", "a", "b"]);
    }
    await cache.close();
  });

  test("a registry that began with a file that was not ours is not known before its first change", async () => {
    await registry.writeServers({ servers: [server("mine")] });
    const cache = await registry.opened();
    expect(() => cache.restore(0)).toThrow("the journal has no changes: how it was before is not known");
    cache.upsert(server("a"));
    expect(() => cache.restore(0)).toThrow(/^the journal begins at 2023-11-14T22:13:20.000Z/);
    cache.undo();
    expect(namesOf(cache)).toEqual(["mine"]);
    await cache.close();
  });
});

test("the fixture's journals are what the product writes", async () => {
  await registry.writeServers({});
  await writeFile(registry.file, looseFile({ servers: [] }));
  await writeFile(`${registry.file}.log`, Buffer.concat([journalFile([adding("a")]), ...frames([adding("b")], 1, 1)]));
  const cache = await registry.opened();
  expect(cache.history()).toHaveLength(2);
  cache.upsert(server("c"));
  await cache.close();
  expect(await readJson(registry.file)).toMatchObject({ _meta: { id: ID, seq: 3 } });
});

describe("a past with a gap (R14)", () => {
  /** A journal that tells of `a`, and a snapshot or a journal that is newer than that reaches. */
  const withGap = async (): Promise<RegistryMemoryCache> => {
    const before = await registry.opened({ journalLimitBytes: 0, flushIntervalMs: Infinity });
    await made(() => before.upsert(server("a")));
    await before.flush();
    await made(
      () => before.upsert(server("b")),
      () => before.upsert(server("c")),
    );
    await before.close();
    // What `close` began last is empty; the one before it goes, with the changes 2 and 3.
    await writeFile(`${registry.file}.log.1`, journalFile([adding("a")], { id: idIn(await readJson(registry.file)) }));
    return registry.opened({ flushIntervalMs: Infinity });
  };

  test("is told of, and neither taken back nor gone back to", async () => {
    const cache = await withGap();
    expect(told(cache.history())).toEqual([[1, "added", "a", "command"]]);
    expect(cache.undo()).toEqual([]);
    expect(() => cache.restore(START_MS + 1_500)).toThrow("the journal has no changes");
    await made(() => cache.upsert(server("d")));
    expect(() => cache.restore(START_MS + 1_500)).toThrow("how it was before is not known");
    expect(told(cache.undo())).toEqual([[4, "added", "d", "command", "undone"]]);
    expect(cache.undo()).toEqual([]);
    expect(namesOf(cache)).toEqual(["a", "b", "c"]);
    await cache.close();
  });
});

const idIn = (file: unknown): string => (file as { _meta: { id: string } })._meta.id;
