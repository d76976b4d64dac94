import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUp, started, TestSource } from "./directory-set-up.js";

describe("the directory's sources", () => {
  test("are merged, and the registry's connector wins over the map's of the same key, whoever speaks last", async () => {
    const registry = new TestSource("registry", [specOf("a")]);
    const map = new TestSource("map", [specOf("a", { source: "map" }), specOf("b", { source: "map" })]);
    const { directory } = setUp(registry, map);
    await directory.start();
    const sources = (): unknown => directory.living().map(({ key, source }) => `${key}:${source}`);
    expect(sources()).toEqual(["a:registry", "b:map"]);
    map.tell(specOf("a", { source: "map" }), specOf("c", { source: "map" }));
    expect(sources()).toEqual(["a:registry", "c:map"]);
    registry.tell();
    expect(sources()).toEqual(["a:map", "c:map"]);
  });

  test("start nothing until each has spoken once: no connector is started for one and replaced for the other", async () => {
    const registry = new TestSource("registry", [specOf("a")]);
    const { directory, upstreams } = setUp(registry, new TestSource("map", [specOf("a", { source: "map" })]));
    await directory.start();
    expect(upstreams.made.map(({ spec }) => spec.source)).toEqual(["registry"]);
    registry.tell(specOf("a"), specOf("b"));
    expect(upstreams.made).toHaveLength(2);
  });

  test("that cannot be read are an error and never an empty list, until they can (−31004)", async () => {
    const registry = new TestSource("registry", []);
    const { directory, upstreams } = setUp(registry);
    await directory.start();
    expect([directory.notReady(), directory.problems()]).toEqual([undefined, []]);
    registry.fail("the registry cannot be read: it is not valid JSON");
    expect(directory.problems()).toEqual(["the registry cannot be read: it is not valid JSON"]);
    expect(directory.notReady()).toMatchObject({
      code: "NOT_READY",
      message: "It is not known which connectors there are: the registry cannot be read: it is not valid JSON",
    });
    registry.tell(specOf("a"));
    await upstreams.of("a").serve("x");
    await settle();
    registry.fail("the registry cannot be read: it is not valid JSON", specOf("a"));
    expect(directory.notReady()).toBeUndefined();
    expect(directory.catalog.current.tools).toHaveLength(1);
  });

  test("are read again on reload: all of them, or the one that is meant", async () => {
    const [registry, map] = [new TestSource("registry", []), new TestSource("map", [])];
    const { directory } = setUp(registry, map);
    await directory.start();
    await directory.reload();
    await directory.reload("registry");
    expect([registry.reloads, map.reloads]).toEqual([2, 1]);
  });
});

describe("the directory", () => {
  test("builds one catalog for many connectors that come up in one tick", async () => {
    const specs = Array.from({ length: 10 }, (_, at) => specOf(`k${at}`));
    const { upstreams, directory, logger } = await started(...specs);
    let swaps = 0;
    directory.catalog.subscribe(() => {
      swaps += 1;
    });
    for (const upstream of upstreams.made) upstream.goUp();
    await Promise.all(upstreams.made.map(async (upstream) => upstream.answerList(["x"])));
    await settle();
    expect(directory.catalog.current.tools).toHaveLength(10);
    expect(swaps).toBe(1);
    expect(logger.messages("info").filter((message) => message === "Catalog changed")).toHaveLength(1);
  });

  test("R23: a list with the same tools is told to nobody", async () => {
    const { upstreams, directory } = await started(specOf("a"));
    await upstreams.of("a").serve("x");
    await settle();
    const { revision } = directory.catalog.current;
    let swaps = 0;
    directory.catalog.subscribe(() => {
      swaps += 1;
    });
    upstreams.of("a").announceChange();
    await upstreams.of("a").answerList(["x"]);
    await settle();
    expect([swaps, directory.catalog.current.revision]).toEqual([0, revision]);
  });

  test("a catalog listener that throws is logged and stops nothing", async () => {
    const { upstreams, directory, logger, seen } = await started(specOf("a"));
    const failure = new Error("bad listener");
    directory.catalog.subscribe(() => {
      throw failure;
    });
    const { changes } = seen;
    await upstreams.of("a").serve("x");
    await settle();
    expect(logger.lines).toContainEqual({
      level: "error",
      fields: { err: failure },
      message: "A catalog listener failed",
    });
    expect(seen.changes).toBeGreaterThan(changes);
  });

  test("says once of each collision that all claimants are refused", async () => {
    const { upstreams, logger, names } = await started(specOf("a"), specOf("a__b"));
    await upstreams.of("a").serve("b__c");
    await upstreams.of("a__b").serve("c");
    await settle();
    upstreams.of("a").announceChange();
    await upstreams.of("a").answerList(["b__c"]);
    await settle();
    expect(names()).toEqual([]);
    expect(logger.lines.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        fields: { name: "a__b__c", claimants: ["a/b__c", "a__b/c"] },
        message: "Tool name claimed more than once: all of them are refused",
      },
    ]);
  });

  test("says so of resources that come to one address (decision 0028)", async () => {
    const { upstreams, logger } = await started(specOf("a"), specOf("b"));
    for (const key of ["a", "b"]) {
      upstreams.of(key).goUp({ resources: {} });
      await upstreams.of(key).answer("resources", [{ uri: "x:\ud800" }, { uri: "x:\ud801" }]);
      await upstreams.of(key).answer("resourceTemplates", []);
    }
    await settle();
    expect(logger.lines.filter(({ level }) => level === "warn")).toMatchObject(
      ["a", "b"].map((key) => ({
        fields: { name: `cortex://${key}/x%3A%EF%BF%BD` },
        message: "Resource name claimed more than once: all of them are refused",
      })),
    );
  });

  test("passes the end of a client session to every upstream, disabled ones excepted", async () => {
    const { directory, upstreams } = await started(specOf("a"), specOf("b"), specOf("c", { disabled: true }));
    directory.endSession("s1");
    expect(upstreams.made.map(({ endedSessions }) => endedSessions)).toEqual([["s1"], ["s1"]]);
  });

  test("closing opens the gate, closes all it owns, and nothing happens afterwards", async () => {
    const { directory, upstreams, source, seen, time } = await started(specOf("a"));
    let waited = false;
    directory.gate.whenOpen(() => {
      waited = true;
    });
    const upstream = upstreams.of("a");
    upstream.goUp();
    await upstream.answerList(["x"]);
    const { changes } = seen;
    await directory.close();
    source.tell(specOf("b"));
    await settle();
    expect(waited).toBe(true);
    expect([source.closes, upstream.disposals, upstreams.made.length]).toEqual([1, 1, 1]);
    expect([seen.changes, time.pending]).toEqual([changes, 0]);
    await directory.close();
  });

  test("closing right after a change builds no further catalog", async () => {
    const { directory, upstreams, names } = await started(specOf("a"));
    upstreams.of("a").goUp();
    const answered = upstreams.of("a").answerList(["x"]);
    await Promise.resolve();
    await Promise.resolve();
    await directory.close();
    await answered;
    await settle();
    expect(names()).toEqual([]);
  });

  test("closing while the sources are still being read starts nothing", async () => {
    const source = new TestSource("registry", [specOf("a")]);
    const { directory, upstreams } = setUp(source);
    const starting = directory.start();
    await directory.close();
    await starting;
    await settle();
    expect(upstreams.made).toEqual([]);
  });

  test("a source that does not close cleanly is logged and keeps no connector open", async () => {
    const { directory, upstreams, source, logger } = await started(specOf("a"));
    source.closeFailure = new Error("watcher stuck");
    await directory.close();
    expect(upstreams.of("a").disposals).toBe(1);
    expect(logger.lines).toContainEqual({
      level: "error",
      fields: { err: source.closeFailure },
      message: "A source did not close cleanly",
    });
  });
});
