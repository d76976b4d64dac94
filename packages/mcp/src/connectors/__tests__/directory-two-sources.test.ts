import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUp, TestSource } from "./directory-set-up.js";

const mapSpec = (key: string, disabled = false) => specOf(key, { source: "map", disabled });

/** A started directory over a registry and a map. */
async function both(registryKeys: readonly string[], mapKeys: readonly string[]) {
  const registry = new TestSource(
    "registry",
    registryKeys.map((key) => specOf(key)),
  );
  const map = new TestSource(
    "map",
    mapKeys.map((key) => mapSpec(key)),
  );
  const parts = setUp(registry, map);
  await parts.directory.start();
  await settle();
  return { ...parts, registry, map };
}

describe("a connector of the map whose key the registry has (design.md, decision 4)", () => {
  test("is shown as down with the reason, behind the one that won, and is not among the living", async () => {
    const { directory, upstreams } = await both(["b"], ["a", "b"]);
    expect(directory.statuses()).toEqual([
      expect.objectContaining({ key: "a", source: "map", state: "connecting" }),
      expect.objectContaining({ key: "b", source: "registry", state: "connecting" }),
      {
        key: "b",
        source: "map",
        state: "down",
        reason:
          "servers.json has a server of this name, and that one is served; rename or remove it to use the service map's",
        tools: 0,
        since: "2023-11-14T22:13:20.000Z",
      },
    ]);
    expect(directory.living().map(({ key, source }) => `${key}:${source}`)).toEqual(["a:map", "b:registry"]);
    expect(upstreams.made).toHaveLength(2);
  });

  test("says since when, and comes into its own when the registry's goes", async () => {
    const { directory, registry, map, time } = await both(["b"], ["b"]);
    const shadow = (): unknown => directory.statuses().find(({ source }) => source === "map");
    await time.advance(60_000);
    map.tell(mapSpec("b"), mapSpec("c"));
    expect(shadow()).toMatchObject({ key: "b", since: "2023-11-14T22:13:20.000Z" });
    map.tell(mapSpec("b", true));
    expect(shadow()).toMatchObject({ state: "disabled", since: "2023-11-14T22:14:20.000Z" });
    expect(shadow()).not.toHaveProperty("reason");
    map.tell(mapSpec("b"));
    registry.tell();
    expect(directory.statuses()).toMatchObject([{ key: "b", source: "map", state: "connecting" }]);
    registry.tell(specOf("b", { disabled: true }));
    expect(directory.statuses()).toMatchObject([
      { key: "b", source: "registry", state: "disabled" },
      { key: "b", source: "map", state: "down" },
    ]);
  });

  test("is no reason why nothing is ready", async () => {
    const { directory, upstreams, time } = await both(["b"], ["b"]);
    upstreams.of("b").goDown("refused");
    await time.advance(20_000);
    expect(directory.notReady()?.message).toBe('No connector is up yet: connector "b" is down: refused');
  });
});

describe("a source that settles (design.md, contracts: Starting)", () => {
  const FIRST = { problem: "the service map is being fetched for the first time", settling: true };

  /** A directory whose map is settling when it starts. */
  async function settling(...registryKeys: string[]) {
    const registry = new TestSource(
      "registry",
      registryKeys.map((key) => specOf(key)),
    );
    const map = new TestSource("map", []);
    const parts = setUp(registry, map);
    const starting = parts.directory.start();
    await Promise.resolve();
    map.say([], FIRST);
    await starting;
    await settle();
    return { ...parts, map };
  }

  test("keeps it closed until its word, and then until its connectors have settled", async () => {
    const { directory, map, upstreams, names } = await settling();
    expect([directory.gate.isOpen, directory.problems()]).toEqual([false, [FIRST.problem]]);
    expect(directory.notReady()).toMatchObject({
      code: "NOT_READY",
      message: `It is not known which connectors there are: ${FIRST.problem}`,
    });
    map.say([mapSpec("m")], {});
    await settle();
    expect([directory.gate.isOpen, directory.problems()]).toEqual([false, []]);
    await upstreams.of("m").serve("x");
    await settle();
    expect([directory.gate.isOpen, names()]).toEqual([true, ["m__x"]]);
  });

  test("opens it with its failure, and the reason goes to whoever asks", async () => {
    const { directory, map } = await settling();
    map.say([], { problem: "there is no service map: connection refused" });
    await settle();
    expect(directory.gate.isOpen).toBe(true);
    expect(directory.notReady()?.message).toContain("there is no service map: connection refused");
  });

  test("a publisher that hangs holds the others' lists for the grace of a connector that connects, and not longer", async () => {
    const { directory, upstreams, names, time } = await settling("a");
    await upstreams.of("a").serve("x");
    await settle();
    await time.advance(1_999);
    expect(directory.gate.isOpen).toBe(false);
    await time.advance(1);
    expect([directory.gate.isOpen, names()]).toEqual([true, ["a__x"]]);
    expect(directory.notReady()).toBeUndefined();
  });

  test("with nothing up it holds them for 20 s, and says all that is known then", async () => {
    const { directory, upstreams, time } = await settling("a");
    upstreams.of("a").goDown("refused");
    await time.advance(19_999);
    expect(directory.gate.isOpen).toBe(false);
    await time.advance(1);
    expect(directory.gate.isOpen).toBe(true);
    expect(directory.notReady()?.message).toBe(
      `No connector is up yet: connector "a" is down: refused; ${FIRST.problem}`,
    );
  });
});

describe("sources that are read on demand (R7)", () => {
  test("cost nothing while they are fresh", async () => {
    const { directory } = await both(["a"], []);
    expect(directory.freshen()).toBeUndefined();
  });

  test("are waited for, with the connectors that come of it, so that the catalog holds them", async () => {
    const { directory, map, upstreams, names, time } = await both(["a"], []);
    await upstreams.of("a").serve("x");
    await settle();
    map.freshening = Promise.resolve().then(() => map.tell(mapSpec("m")));
    let fresh = false;
    const freshening = directory.freshen()?.then(() => (fresh = true));
    await settle();
    expect(fresh).toBe(false);
    await upstreams.of("m").serve("y");
    await freshening;
    expect(names()).toEqual(["a__x", "m__y"]);
    map.freshening = Promise.resolve().then(() => map.tell());
    await directory.freshen();
    expect(names()).toEqual(["a__x"]);
    // Nothing is left of the wait: the one timer is connector a's next look.
    expect(time.pending).toBe(1);
  });

  test("are waited for no longer than a start's grace when a connector hangs, and never fail", async () => {
    const { directory, map, time } = await both([], []);
    map.freshening = Promise.reject(new Error("a source should not"));
    await directory.freshen();
    map.freshening = Promise.resolve().then(() => map.tell(mapSpec("m")));
    let fresh = false;
    void directory.freshen()?.then(() => (fresh = true));
    await time.advance(1_999);
    expect(fresh).toBe(false);
    await time.advance(1);
    await settle();
    expect(fresh).toBe(true);
  });
});
