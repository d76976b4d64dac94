import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { settle, toolOf } from "../../__tests__/support/test-upstreams.js";
import { setUp, toolsOf } from "./connector-set-up.js";

describe("a connector", () => {
  test("is connecting until its tools are listed, then up", async () => {
    const { connector, upstream, time, changes, syncs } = setUp();
    expect(connector.status()).toEqual({
      key: "k",
      source: "registry",
      state: "connecting",
      tools: 0,
      since: "2023-11-14T22:13:20.000Z",
    });
    expect([connector.isSettled, connector.isUp, upstream().connects]).toEqual([false, false, 1]);
    await time.advance(1_000);
    upstream().goUp();
    expect(connector.status().state).toBe("connecting");
    await time.advance(250);
    await upstream().answerList(["a", "b"], { ttlMs: 9, cacheScope: "private" });
    expect(connector.status()).toEqual({
      key: "k",
      source: "registry",
      state: "up",
      era: "modern",
      tools: 2,
      since: "2023-11-14T22:13:21.250Z",
    });
    expect(connector.part).toEqual({
      key: "k",
      lists: { tools: { entries: [toolOf("a"), toolOf("b")], ttlMs: 9, cacheScope: "private" } },
    });
    expect(syncs).toEqual([{ seconds: 0.25, ok: true }]);
    expect(changes).toEqual(["k"]);
    expect([connector.isSettled, connector.isUp]).toEqual([true, true]);
  });

  test("says once in the log that it is up, each time it comes up (R21)", async () => {
    const { upstream, logger } = setUp();
    await upstream().serve("a", "b");
    upstream().announceChange();
    await upstream().answerList(["a"]);
    const up = (tools: number): object => ({
      level: "info",
      fields: { connectorId: "k", tools, era: "modern" },
      message: "Connector is up",
    });
    expect(logger.lines).toEqual([up(2)]);
    upstream().goDown("gone");
    await upstream().serve("a");
    expect(logger.lines.slice(2)).toEqual([up(1)]);
  });

  test("is disabled with no upstream at all when its spec says so", async () => {
    const { connector, made, time } = setUp({ disabled: true });
    expect(made).toEqual([]);
    expect(connector.upstream).toBeUndefined();
    expect(connector.status()).toMatchObject({ state: "disabled", tools: 0 });
    expect(connector.isSettled).toBe(true);
    await connector.close();
    expect(time.pending).toBe(0);
  });

  test("asks for no list that the upstream does not announce, and is up with no tools", async () => {
    const { connector, upstream, time } = setUp();
    upstream().goUp({ logging: {} });
    await settle();
    expect(upstream().lists).toBe(0);
    expect(connector.part).toEqual({ key: "k", lists: {} });
    expect(connector.isUp).toBe(true);
    expect(time.pending).toBe(0);
  });

  test("tells operators the whole reason for being down, and clients no detail of it", () => {
    const { connector, upstream } = setUp();
    upstream().goDown("its process exited with code 3", 'its last line on stderr: "no key in the file"');
    expect(connector.status().reason).toBe(
      'its process exited with code 3; its last line on stderr: "no key in the file"',
    );
    expect(connector.describe()).toBe('connector "k" is down: its process exited with code 3');
  });

  test("keeps its tools while it is down, and says why it is down", async () => {
    const { connector, upstream, logger, time } = setUp();
    await upstream().serve("a");
    upstream().goDown("connection refused");
    expect(connector.status()).toMatchObject({ state: "down", reason: "connection refused", tools: 1 });
    expect(toolsOf(connector)).toEqual(["a"]);
    expect(logger.lines).toContainEqual({
      level: "warn",
      fields: { connectorId: "k", reason: "connection refused" },
      message: "Connector is down",
    });
    expect(time.pending).toBe(0);
  });

  test("has a reason also when the upstream gives none", () => {
    const { connector, upstream } = setUp();
    upstream().goDown();
    expect(connector.status()).toMatchObject({ state: "down", reason: "the upstream is not reachable" });
    expect(connector.isSettled).toBe(true);
  });

  test("lists again when it comes back, and is up only then", async () => {
    const { connector, upstream } = setUp();
    await upstream().serve("a");
    upstream().goDown("gone");
    upstream().goUp();
    expect(connector.isUp).toBe(false);
    await upstream().answerList(["b"]);
    expect(connector.isUp).toBe(true);
    expect(toolsOf(connector)).toEqual(["b"]);
  });

  test("a list that arrives after the upstream went still counts, but does not make it up", async () => {
    const { connector, upstream } = setUp();
    upstream().goUp();
    upstream().goDown("gone");
    await upstream().answerList(["late"]);
    expect(toolsOf(connector)).toEqual(["late"]);
    expect(connector.status()).toMatchObject({ state: "down", reason: "gone" });
  });

  test("leaves out a tool that is nested too deeply to be encoded, and says so", async () => {
    const { connector, upstream, logger } = setUp();
    const deep = JSON.parse(
      `{"name":"deep","inputSchema":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
    ) as JsonObject;
    upstream().goUp();
    await upstream().answerTools([toolOf("a"), deep]);
    expect(toolsOf(connector)).toEqual(["a"]);
    expect(logger.lines).toContainEqual({
      level: "warn",
      fields: { connectorId: "k", list: "tools", count: 1 },
      message: "Entries nested deeper than 64 levels were left out of a list",
    });
  });

  test("names what its upstream lists and breaks the specification, while that is so", async () => {
    const { connector, upstream } = setUp();
    upstream().goUp({ tools: {}, prompts: {} });
    await upstream().answerTools([toolOf("a")], { leftOut: ["b (no inputSchema)"] });
    await upstream().answer("prompts", [], { leftOut: ["(an entry that is no object)"] });
    expect(connector.status()).toMatchObject({
      tools: 1,
      leftOut: ["b (no inputSchema)", "(an entry that is no object)"],
    });
    upstream().announceChange();
    upstream().announceChange("prompts");
    await settle();
    await upstream().answerTools([toolOf("a")]);
    await upstream().answer("prompts", []);
    expect(connector.status()).not.toHaveProperty("leftOut");
  });

  test("since tells when the state was entered, not when it was last confirmed", async () => {
    const { connector, upstream, time } = setUp();
    await upstream().serve("a");
    const { since } = connector.status();
    await time.advance(5_000);
    upstream().announceChange();
    await upstream().answerList(["b"]);
    expect(connector.status().since).toBe(since);
  });
});

describe("a closed connector", () => {
  test("releases its upstream and its timer, and is silent about whatever still arrives", async () => {
    const { connector, upstream, time, changes, syncs, logger } = setUp();
    await upstream().serve("a");
    upstream().announceChange();
    const before = [changes.length, syncs.length, logger.lines.length];
    await connector.close();
    expect(upstream().disposals).toBe(1);
    await upstream().answerList(["b"]);
    upstream().goDown("gone");
    upstream().goUp();
    upstream().announceChange();
    expect([changes.length, syncs.length, logger.lines.length]).toEqual(before);
    expect(upstream().lists).toBe(2);
    expect(toolsOf(connector)).toEqual(["a"]);
    expect(time.pending).toBe(0);
  });

  test("says nothing of a list that fails because of the closing, and lists no more", async () => {
    const { connector, upstream, time, syncs, logger } = setUp();
    upstream().goUp();
    upstream().announceChange();
    await connector.close();
    await upstream().failList(new Error("disposed"));
    expect([syncs, logger.lines, upstream().lists, time.pending]).toEqual([[], [], 1, 0]);
  });

  test("leaves no timer when it is closed by whoever hears that it is up", async () => {
    const { connector, upstream, time } = setUp({ onChange: (changed) => void changed.close() });
    await upstream().serve("a");
    expect([connector.isUp, time.pending]).toEqual([true, 0]);
  });
});
