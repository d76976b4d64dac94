import type { ConnectorSpec } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { specOf } from "../../../__tests__/support/specs.js";
import { settle, toolOf } from "../../../__tests__/support/test-upstreams.js";
import { setUpWith, TestSource } from "../../__tests__/directory-set-up.js";
import { DEFAULT_STARTUP } from "../../start-gate.js";
import { startRule } from "../../start-width.js";
import type { StoredPart } from "../catalog-store.js";
import { storedOf, TestCatalogStore } from "./warm-set-up.js";

/** A directory that was started anew with what is stored, over a registry that names these connectors. */
async function restarted(stored: readonly StoredPart[], ...specs: readonly ConnectorSpec[]) {
  const store = new TestCatalogStore(...stored);
  const source = new TestSource("registry", specs);
  const parts = setUpWith({ catalogStore: store }, source);
  await parts.directory.start();
  await settle();
  return { ...parts, store, source };
}

const [a, b, c] = [specOf("a"), specOf("b"), specOf("c")];

describe("a start with a stored catalog (design.md, contracts: Starting)", () => {
  test("with every connector stored, lists are served at once, before anything is connected", async () => {
    const { directory, names } = await restarted([storedOf(a, "x", "y"), storedOf(b, "z")], a, b);
    expect(directory.gate.isOpen).toBe(true);
    expect(directory.notReady()).toBeUndefined();
    expect(names()).toEqual(["a__x", "a__y", "b__z"]);
    expect(directory.statuses()).toMatchObject([
      { key: "a", state: "connecting", tools: 2, era: "modern" },
      { key: "b", state: "connecting", tools: 1 },
    ]);
  });

  test("the upstream is made with what was learned of it, and is connected behind the scenes, a second after the start (R18)", async () => {
    const { upstreams, time } = await restarted([storedOf(a, "x")], a, b);
    expect(upstreams.of("a").earlier).toEqual({ facts: storedOf(a).facts, tools: [toolOf("x")], asleep: false });
    expect(upstreams.of("b").earlier).toBeUndefined();
    expect(upstreams.of("b").connects).toBe(1);
    await time.advance(999);
    expect(upstreams.of("a").connects).toBe(0);
    await time.advance(1);
    expect(upstreams.of("a").connects).toBe(1);
  });

  test("one that was not connected yet when the gateway was closed is not connected any more", async () => {
    const { directory, upstreams, time } = await restarted([storedOf(a, "x")], a);
    await directory.close();
    await time.advance(60_000);
    expect(upstreams.of("a").connects).toBe(0);
    expect(time.pending).toBe(0);
  });

  test("with some stored and some not, the others get the grace of 2 s and no more", async () => {
    const { directory, upstreams, names, time } = await restarted([storedOf(a, "x")], a, b, c);
    expect(directory.gate.isOpen).toBe(false);
    expect(directory.notReady()).toBeUndefined();
    await time.advance(1_500);
    await upstreams.of("b").serve("y");
    await settle();
    expect(directory.gate.isOpen).toBe(false);
    await time.advance(500);
    expect(directory.gate.isOpen).toBe(true);
    expect(names()).toEqual(["a__x", "b__y"]);
  });

  test("with some stored and some not, it is served as soon as the others have settled, whatever the stored ones do", async () => {
    const { directory, upstreams, names } = await restarted([storedOf(a, "x")], a, b, specOf("d", { disabled: true }));
    await upstreams.of("b").serve("y");
    await settle();
    expect(directory.gate.isOpen).toBe(true);
    expect(names()).toEqual(["a__x", "b__y"]);
  });

  test("with nothing stored it waits as it would without a store", async () => {
    const { directory, time } = await restarted([], a);
    await time.advance(19_999);
    expect(directory.gate.isOpen).toBe(false);
    await time.advance(1);
    expect(directory.notReady()?.code).toBe("NOT_READY");
  });

  test("a connector that comes up as it was changes nothing for clients (R23); one that changed is a change", async () => {
    const { directory, upstreams, names } = await restarted([storedOf(a, "x"), storedOf(b, "z")], a, b);
    const changes: string[] = [];
    const before = directory.catalog.current.revision;
    directory.catalog.subscribe(({ revision }) => changes.push(revision));
    await upstreams.of("a").serve("x");
    await settle();
    expect(directory.catalog.current.revision).toBe(before);
    expect(changes).toEqual([]);
    await upstreams.of("b").serve("z", "new");
    await settle();
    expect(changes).toHaveLength(1);
    expect(names()).toEqual(["a__x", "b__new", "b__z"]);
    expect(directory.statuses()).toMatchObject([{ state: "up" }, { state: "up", tools: 2 }]);
  });

  test("one that turns out to be down, or does not list, keeps what is stored of it (decision 0003)", async () => {
    const { directory, upstreams, names, time } = await restarted([storedOf(a, "x"), storedOf(b, "z")], a, b);
    upstreams.of("a").goDown("refused");
    upstreams.of("b").goUp();
    await upstreams.of("b").failList(new Error("no"));
    await settle();
    expect(directory.statuses()).toMatchObject([
      { key: "a", state: "down", reason: "refused", tools: 1 },
      { key: "b", state: "down", tools: 1 },
    ]);
    expect(names()).toEqual(["a__x", "b__z"]);
    expect(directory.notReady()).toBeUndefined();
    await time.advance(60_000);
    expect(names()).toEqual(["a__x", "b__z"]);
  });

  test("a feature that cannot be listed now stays as it was stored", async () => {
    const stored = storedOf(a, "x");
    const prompts = { entries: [{ name: "p" }] };
    const both = { ...stored, part: { key: "a", lists: { ...stored.part.lists, prompts } } };
    const { directory, upstreams, store } = await restarted([both], a);
    upstreams.of("a").goUp({ tools: {}, prompts: {} });
    await upstreams.of("a").failList(new Error("no"), "prompts");
    await upstreams.of("a").answerList(["x"]);
    await settle();
    expect(directory.find("a")?.part?.lists.prompts).toEqual(prompts);
    expect(store.saved).toMatchObject([{ key: "a", part: { lists: { prompts } } }]);
  });

  test("they connect behind those that nothing is stored of, and only some at a time: a restart spawns nothing for nobody in a herd", async () => {
    const transport = { kind: "stdio", command: "x", args: [], env: {} } as const;
    const { background } = startRule("adaptive").child;
    const stored = Array.from({ length: background + 2 }, (_, at) => specOf(`s-${at + 10}`, { transport }));
    const others = ["x", "y"].map((key) => specOf(key, { transport }));
    const { directory, upstreams, time } = await restarted(
      stored.map((spec) => storedOf(spec, "t")),
      ...stored,
      ...others,
    );
    await time.advance(1_000);
    const connecting = (): string[] =>
      upstreams.made.filter(({ connects }) => connects > 0).map(({ spec }) => spec.key);
    expect(directory.notReady()).toBeUndefined();
    expect(connecting()).toEqual([...stored.slice(0, background), ...others].map(({ key }) => key));
    for (const key of ["x", "y", "s-10"]) upstreams.of(key).goDown("refused");
    await settle();
    expect(connecting()).toHaveLength(background + 3);
    expect(upstreams.made.at(background)?.connects).toBe(1);
  });

  test("one that a call connected before its turn is not connected again", async () => {
    const specs = ["a", "b"].map((key) => specOf(key));
    const store = new TestCatalogStore(...specs.map((spec) => storedOf(spec, "x")));
    const startup = { ...DEFAULT_STARTUP, width: 1 };
    const { directory, upstreams, time } = setUpWith(
      { catalogStore: store, startup },
      new TestSource("registry", specs),
    );
    await directory.start();
    await time.advance(1_000);
    await settle();
    await upstreams.of("b").serve("x");
    upstreams.of("a").goDown("refused");
    await settle();
    expect(upstreams.of("b").connects).toBe(0);
  });

  test("a source that is read on demand waits for none that serves already", async () => {
    const { directory, source } = await restarted([storedOf(a, "x")], a);
    source.freshening = Promise.resolve();
    let fresh = false;
    void directory.freshen()?.then(() => {
      fresh = true;
    });
    await settle();
    expect(fresh).toBe(true);
  });
});

describe("what is stored of connectors", () => {
  test("is what they list when they come up, and again when it changes, and nothing while they are away", async () => {
    const { upstreams, store, time } = await restarted([], a);
    await upstreams.of("a").serve("x");
    await settle();
    upstreams.of("a").goDown("gone");
    await upstreams.of("a").serve("x", "y");
    await settle();
    expect(store.saved).toEqual([storedOf(a, "x"), storedOf(a, "x", "y")]);
    await time.advance(1_000);
    upstreams.of("a").announceChange();
    await time.advance(1_000);
    await upstreams.of("a").answerList(["z"]);
    expect(store.saved.at(-1)).toEqual(storedOf(a, "z"));
  });

  test("is dropped when the connector's configuration changed meanwhile: it starts cold", async () => {
    const changed = specOf("a", { version: "2" });
    const { directory, names, store, logger } = await restarted([storedOf(a, "x")], changed);
    expect(directory.gate.isOpen).toBe(false);
    expect(names()).toEqual([]);
    expect(store.removed).toEqual(["a"]);
    expect(logger.messages("info")).toContain("What was stored of a connector's lists is dropped");
  });

  test("is dropped when it was disabled meanwhile, and when it is gone", async () => {
    const { names, store } = await restarted(
      [storedOf(a, "x"), storedOf(b, "y"), storedOf(c, "z")],
      specOf("a", { disabled: true }),
      c,
    );
    expect(names()).toEqual(["c__z"]);
    expect(store.removed).toEqual(["a", "b"]);
  });

  test("is dropped when the connector is removed, and does not come back with it", async () => {
    const { source, names, store, upstreams } = await restarted([storedOf(a, "x"), storedOf(b, "y")], a, b);
    source.tell(b);
    await settle();
    expect(names()).toEqual(["b__y"]);
    expect(store.removed).toEqual(["a"]);
    source.tell(a, b);
    await settle();
    expect(names()).toEqual(["b__y"]);
    await upstreams.of("a").serve("x");
    await settle();
    expect(store.saved).toEqual([storedOf(a, "x")]);
  });

  test("of a source that is in trouble at the start is kept, and served as soon as the source names it", async () => {
    const store = new TestCatalogStore(storedOf(a, "x"), storedOf(b, "y"));
    const source = new TestSource("registry", undefined);
    const map = new TestSource("map", []);
    const { directory, names } = setUpWith({ catalogStore: store }, source, map);
    const starting = directory.start();
    await settle();
    source.fail("is not JSON");
    source.release();
    await starting;
    await settle();
    expect(store.removed).toEqual([]);
    source.tell(a);
    await settle();
    expect(names()).toEqual(["a__x"]);
    expect(store.removed).toEqual(["b"]);
  });

  test("is closed last, when nothing changes any more", async () => {
    const { directory, upstreams, store } = await restarted([], a);
    await upstreams.of("a").serve("x");
    await settle();
    await directory.close();
    expect(store.closes).toBe(1);
    expect(store.removed).toEqual([]);
  });
});
