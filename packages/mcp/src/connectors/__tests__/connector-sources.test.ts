import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { DEFAULT_CATALOG_POLICY } from "../../catalog/catalog.js";
import { DEFAULT_STARTUP } from "../start-gate.js";
import { setUp, setUpWith, TestSource } from "./directory-set-up.js";

const [a, b, c] = [specOf("a"), specOf("b", { source: "map" }), specOf("c", { source: "map" })];

/** A directory over a registry with `a` and a map with `b`, both up. */
async function twoSources() {
  const registry = new TestSource("registry", [a]);
  const map = new TestSource("map", [b]);
  const parts = setUp(registry, map);
  await parts.directory.start();
  await settle();
  await parts.upstreams.of("a").serve("x");
  await parts.upstreams.of("b").serve("y");
  await settle();
  return { ...parts, registry, map };
}

describe("a source that is replaced while the gateway runs", () => {
  test("the old one is closed and heard no more; what both name, and what the other source names, is left alone", async () => {
    const { directory, upstreams, names, map, logger } = await twoSources();
    const before = directory.connectors;
    const next = new TestSource("map", [b, c]);
    await directory.replaceSource("map", next);
    map.tell();
    await settle();
    expect(map.closes).toBe(1);
    expect(directory.connectors.slice(0, 2)).toEqual(before);
    expect(directory.find("c")).toBeDefined();
    await upstreams.of("c").serve("z");
    await settle();
    expect(names()).toEqual(["a__x", "b__y", "c__z"]);
    next.tell();
    await settle();
    expect(names()).toEqual(["a__x"]);
    expect(logger.messages("error")).toEqual([]);
  });

  test("until the new one has said what there is, the connectors of the old one stay", async () => {
    const { directory, names } = await twoSources();
    const next = new TestSource("map", undefined);
    const replacing = directory.replaceSource("map", next);
    await settle();
    next.say([], { problem: "is being fetched", settling: true });
    await settle();
    expect(names()).toEqual(["a__x", "b__y"]);
    expect(directory.problems()).toEqual(["is being fetched"]);
    next.release();
    await replacing;
    next.say([], { problem: "there is none" });
    await settle();
    expect(names()).toEqual(["a__x"]);
    // From then on it is a source like any other.
    next.say([c], {});
    next.say([], { settling: true });
    await settle();
    expect(directory.find("c")).toBeUndefined();
    expect(directory.problems()).toEqual([]);
  });

  test("by nothing: its connectors go, its problem too, and it is reloaded no more", async () => {
    const { directory, names, map, registry } = await twoSources();
    map.fail("cannot be fetched", b);
    await directory.replaceSource("map", undefined);
    await settle();
    expect(names()).toEqual(["a__x"]);
    expect(directory.problems()).toEqual([]);
    await directory.reload();
    expect([registry.reloads, map.reloads, map.closes]).toEqual([1, 0, 1]);
    expect(directory.freshen()).toBeUndefined();
  });

  test("one that comes where there was none is a source like any other", async () => {
    const registry = new TestSource("registry", [a]);
    const { directory } = setUp(registry);
    await directory.start();
    const map = new TestSource("map", [b]);
    await directory.replaceSource("map", map);
    expect(directory.living().map(({ key }) => key)).toEqual(["a", "b"]);
    await directory.reload("map");
    expect(map.reloads).toBe(1);
    await directory.close();
    expect([registry.closes, map.closes]).toEqual([1, 1]);
    const late = new TestSource("map", [c]);
    await directory.replaceSource("map", late);
    await directory.replaceSource("map", undefined);
    expect([late.closes, map.closes]).toEqual([1, 1]);
  });

  test("one that cannot be started is closed, and everything is as it was", async () => {
    const { directory, map, names } = await twoSources();
    const next = new TestSource("map", [c]);
    next.start = async () => Promise.reject(new Error("no"));
    await expect(directory.replaceSource("map", next)).rejects.toThrow("no");
    expect([next.closes, map.closes]).toEqual([1, 0]);
    map.tell(b, c);
    await settle();
    expect(directory.find("c")).toBeDefined();
    expect(names()).toEqual(["a__x", "b__y"]);
  });
});

describe("a policy that is replaced while the gateway runs", () => {
  test("names change at once, connectors are left alone, and the same policy is no change", async () => {
    const { directory, upstreams, names, seen } = await twoSources();
    const revisions: string[] = [];
    directory.catalog.subscribe(({ revision }) => revisions.push(revision));
    const policy = { names: { separator: ".", maxLength: 50, prefix: "always" }, ttlMs: 300_000, pageSize: 1 } as const;
    const startup = { ...DEFAULT_STARTUP, graceMs: 5, maxMs: 10 };
    const before = directory.connectors;
    directory.reconfigure(policy, startup);
    expect(names()).toEqual(["a.x", "b.y"]);
    directory.reconfigure(policy, startup);
    expect(revisions).toHaveLength(1);
    expect(directory.connectors).toEqual(before);
    expect(upstreams.made).toHaveLength(2);
    const changes = seen.changes;
    await directory.close();
    directory.reconfigure(policy, startup);
    expect(seen.changes).toBe(changes);
  });

  test("another start width has those that wait in line begin, and the same one changes nothing", async () => {
    const registry = new TestSource(
      "registry",
      ["a", "b", "c", "d"].map((key) => specOf(key)),
    );
    const startup = { ...DEFAULT_STARTUP, width: 1 };
    const { directory, upstreams } = setUpWith({ startup }, registry);
    await directory.start();
    const connects = (): number[] => upstreams.made.map((upstream) => upstream.connects);
    directory.reconfigure(DEFAULT_CATALOG_POLICY, startup);
    expect(connects()).toEqual([1, 0, 0, 0]);
    directory.reconfigure(DEFAULT_CATALOG_POLICY, { ...startup, width: 2 });
    expect(connects()).toEqual([1, 1, 1, 0]);
  });

  test("the grace is the new one for waits that begin from then on", async () => {
    const registry = new TestSource("registry", [a, specOf("d")]);
    const { directory, upstreams, time } = setUp(registry);
    directory.reconfigure(
      { names: { separator: "__", maxLength: 50, prefix: "always" }, ttlMs: 1, pageSize: 1 },
      { ...DEFAULT_STARTUP, graceMs: 7, maxMs: 70 },
    );
    await directory.start();
    await settle();
    expect(time.delays).toContain(70);
    await upstreams.of("a").serve("x");
    await settle();
    await time.advance(7);
    expect(directory.gate.isOpen).toBe(true);
    let settled = false;
    void directory.settled().then(() => {
      settled = true;
    });
    await time.advance(7);
    await settle();
    expect(settled).toBe(true);
  });
});
