import type { ChildrenPolicy, ConnectorSpec } from "@cortex-os/mcp-core";
import { fixedRandom } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { childrenOf } from "../children-policy.js";
import type { StoredPart } from "../warm/catalog-store.js";
import { storedOf, TestCatalogStore } from "../warm/__tests__/warm-set-up.js";
import { setUpWith, TestSource } from "./directory-set-up.js";

const HOUR_MS = 3_600_000;
const ON_DEMAND: ChildrenPolicy = { start: "onDemand", idleMs: 60_000 };
const transport = { kind: "stdio", command: "x", args: [], env: {} } as const;
const child = (key: string, more: Partial<ConnectorSpec> = {}): ConnectorSpec => specOf(key, { transport, ...more });

async function restarted(children: ChildrenPolicy, stored: readonly StoredPart[], ...specs: readonly ConnectorSpec[]) {
  const catalogStore = new TestCatalogStore(...stored);
  const source = new TestSource("registry", specs);
  const parts = setUpWith({ catalogStore, children, random: fixedRandom(0.5) }, source);
  await parts.directory.start();
  // Those that are warm and shall start do so a second later.
  await parts.time.advance(1_000);
  await settle();
  return { ...parts, catalogStore, source };
}

const stored = (...specs: readonly ConnectorSpec[]): readonly StoredPart[] => specs.map((spec) => storedOf(spec, "t"));
const NOTE = expect.stringContaining("the next request starts it");

describe("how the children of a connector live", () => {
  test("as its entry says, else as for all; what is no child has no such life", () => {
    expect(childrenOf(child("a"))).toEqual({ start: "eager", idleMs: 0 });
    expect(childrenOf(child("a"), ON_DEMAND)).toEqual(ON_DEMAND);
    expect(childrenOf(child("a", { children: { start: "eager" } }), ON_DEMAND)).toEqual({
      start: "eager",
      idleMs: 60_000,
    });
    expect(childrenOf(specOf("web"), ON_DEMAND)).toBeUndefined();
  });
});

describe("R18: a warm start with children on demand", () => {
  test("starts none of those whose lists are known: they are up, listed and ready, and their note says what they are", async () => {
    const [a, b, web] = [child("a"), child("b"), specOf("web")];
    const { directory, upstreams, names, time } = await restarted(ON_DEMAND, stored(a, b, web), a, b, web);
    expect([upstreams.of("a"), upstreams.of("b"), upstreams.of("web")].map(({ connects }) => connects)).toEqual([
      0, 0, 1,
    ]);
    expect([upstreams.of("a").earlier?.asleep, upstreams.of("web").earlier?.asleep]).toEqual([true, false]);
    expect([directory.gate.isOpen, directory.notReady(), names()]).toEqual([
      true,
      undefined,
      ["a__t", "b__t", "web__t"],
    ]);
    expect(directory.statuses()).toMatchObject([
      { key: "a", state: "up", note: NOTE, tools: 1, era: "modern" },
      { key: "b", state: "up", note: NOTE },
      { key: "web", state: "connecting" },
    ]);
    await time.advance(HOUR_MS);
    expect(upstreams.of("a").connects).toBe(0);
  });

  test("starts those of which nothing is known, and those whose own entries want it", async () => {
    const [known, fresh, own] = [child("known"), child("fresh"), child("own", { children: { start: "eager" } })];
    const { upstreams, directory } = await restarted(ON_DEMAND, stored(known, own), known, fresh, own);
    expect(["known", "fresh", "own"].map((key) => upstreams.of(key).connects)).toEqual([0, 1, 1]);
    expect(directory.gate.isOpen).toBe(false);
    await upstreams.of("fresh").serve("x");
    await settle();
    expect(directory.gate.isOpen).toBe(true);
  });

  test("one that a call has started is asked for its lists again, and clients hear what changed", async () => {
    const a = child("a");
    const { upstreams, directory, names } = await restarted(ON_DEMAND, stored(a), a);
    await upstreams.of("a").serve("t", "new");
    await settle();
    expect(names()).toEqual(["a__new", "a__t"]);
    expect(directory.statuses()).toMatchObject([{ state: "up", tools: 2 }]);
    expect(directory.statuses()[0]).not.toHaveProperty("note");
  });

  test("one that does not start is down and says why; what it listed stays", async () => {
    const a = child("a");
    const { upstreams, directory, names } = await restarted(ON_DEMAND, stored(a), a);
    upstreams.of("a").goDown("no such command");
    await settle();
    expect(directory.statuses()).toMatchObject([{ state: "down", reason: "no such command", tools: 1 }]);
    expect(directory.statuses()[0]).not.toHaveProperty("note");
    expect(names()).toEqual(["a__t"]);
  });

  test("eager, which is the default, starts all of them behind the lists that are served", async () => {
    const a = child("a");
    const { upstreams } = await restarted({ start: "eager", idleMs: 60_000 }, stored(a), a);
    expect(upstreams.of("a").connects).toBe(1);
  });
});

describe("R18: a connector that falls asleep", () => {
  test("stays up with its lists, is asked nothing, and is listed anew when it wakes", async () => {
    const a = child("a");
    const { directory, upstreams, names, time, logger, seen } = await restarted(ON_DEMAND, [], a);
    await upstreams.of("a").serve("t");
    await settle();
    const { since } = directory.statuses()[0] ?? {};
    const { changes } = seen;
    upstreams.of("a").fallAsleep();
    await settle();
    expect(seen.changes).toBe(changes + 1);
    expect(directory.statuses()).toMatchObject([{ state: "up", note: NOTE, tools: 1, since }]);
    expect(logger.messages("info")).toContain("Connector sleeps until something is asked of it");
    const { lists } = upstreams.of("a");
    await time.advance(2 * HOUR_MS);
    upstreams.of("a").announceChange();
    await settle();
    expect([upstreams.of("a").lists, names()]).toEqual([lists, ["a__t"]]);
    await upstreams.of("a").serve("t", "u");
    await settle();
    expect(names()).toEqual(["a__t", "a__u"]);
    expect(directory.statuses()[0]).not.toHaveProperty("note");
  });

  test("is started for a look at its lists after six hours of sleep, because it cannot tell that they changed", async () => {
    const a = child("a");
    const { upstreams, time } = await restarted(ON_DEMAND, stored(a), a);
    await time.advance(6 * HOUR_MS - 1_001);
    expect(upstreams.of("a").connects).toBe(0);
    await time.advance(1);
    expect(upstreams.of("a").connects).toBe(1);
    await upstreams.of("a").serve("t");
    upstreams.of("a").fallAsleep();
    await time.advance(3 * HOUR_MS);
    expect(upstreams.of("a").connects).toBe(1);
    await time.advance(3 * HOUR_MS);
    expect(upstreams.of("a").connects).toBe(2);
  });

  test("is not when nothing would have it sleep again: it would run for good then", async () => {
    const a = child("a");
    const { upstreams, time } = await restarted({ start: "onDemand", idleMs: 0 }, stored(a), a);
    await time.advance(24 * HOUR_MS);
    expect(upstreams.of("a").connects).toBe(0);
  });

  test("is started again a minute later when its tools could not be had: nobody asks for what is not listed, so nothing else would start it", async () => {
    const a = child("a");
    const { directory, upstreams, names, time } = await restarted({ start: "eager", idleMs: 60_000 }, [], a);
    const upstream = upstreams.of("a");
    upstream.goUp();
    await settle();
    await upstream.failList(new Error("not yet"));
    await settle();
    expect(directory.statuses()).toMatchObject([{ state: "down", reason: expect.stringContaining("not yet") }]);
    upstream.fallAsleep();
    await time.advance(59_999);
    expect(upstream.connects).toBe(1);
    await time.advance(1);
    expect(upstream.connects).toBe(2);
    await upstream.serve("t");
    await settle();
    expect([directory.statuses()[0]?.state, names()]).toEqual(["up", ["a__t"]]);
  });

  test("leaves no timer behind when it goes, and a closed one does not fall asleep", async () => {
    const a = child("a");
    const { directory, upstreams, time, seen } = await restarted(ON_DEMAND, stored(a), a);
    expect(time.pending).toBe(1);
    await directory.close();
    const { changes } = seen;
    upstreams.of("a").fallAsleep();
    expect([time.pending, seen.changes]).toEqual([0, changes]);
  });
});
