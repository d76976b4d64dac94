import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUpProxy, TestProxy } from "./proxy-upstream-set-up.js";

const REFUSED = "it could not be connected";

describe("R6: a caller's proxy that connects", () => {
  test("is made with all that RemoteToolProxy takes, and is up when connect() resolves", async () => {
    const { upstream, proxy, heard, begin, agent, time, logger } = setUpProxy();
    expect(upstream.facts).toBeUndefined();
    await begin();
    const { onAvailability, onToolsChanged, ...options } = proxy().options;
    expect(options).toEqual({
      connectorId: "k",
      url: "https://a.example/mcp",
      headers: { "x-key": "secret" },
      agent,
      clock: time,
      logger,
    });
    expect([typeof onAvailability, typeof onToolsChanged, heard]).toEqual(["function", "function", []]);
    proxy().connects[0]?.resolve();
    await settle();
    expect(heard).toEqual([[true]]);
    expect(upstream.facts).toMatchObject({ capabilities: { tools: {} }, detectedAt: "2023-11-14T22:13:20.000Z" });
    expect(time.pending).toBe(0);
    await upstream.connect();
    expect(proxy().connects).toHaveLength(1);
  });

  test("attempts that meet are one", async () => {
    const { upstream, proxy, begin } = setUpProxy();
    await begin();
    await begin();
    const both = Promise.all([upstream.connect(), upstream.connect()]);
    proxy().connects[0]?.resolve();
    await both;
    expect(proxy().connects).toHaveLength(1);
  });

  test("may connect at once, without a promise, and have no disconnect()", async () => {
    const { upstream, heard } = setUpProxy(() => ({ connect: () => {}, getTools: () => [], callTool: () => ({}) }));
    await upstream.connect();
    expect(heard).toEqual([[true]]);
    expect(await upstream.list("tools")).toEqual({ entries: [] });
    await upstream.dispose();
  });
});

describe("R6: a caller's proxy that does not connect", () => {
  test("is down with a reason for anybody and its own words for operators, and tried again with growing, jittered delays", async () => {
    const { upstream, proxy, heard, begin, time, made } = setUpProxy();
    await begin();
    const failure = new Error("connect ECONNREFUSED 10.0.0.1:443");
    const delays: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      proxy().connects[attempt]?.reject(failure);
      await settle();
      delays.push(...time.delays);
      await time.advance(time.delays[0] ?? 0);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000]);
    expect(heard).toEqual([[false, REFUSED, failure.message]]);
    expect(made).toHaveLength(1);
    proxy().connects.at(-1)?.resolve();
    await settle();
    expect(heard.at(-1)).toEqual([true]);
    expect(upstream.facts).toBeDefined();
  });

  test("rejects with what it failed with, so that a log shows its message and stack", async () => {
    const { upstream, proxy } = setUpProxy();
    const failure = new Error("boom");
    const connecting = upstream.connect();
    proxy().connects[0]?.reject(failure);
    await expect(connecting).rejects.toBe(failure);
  });

  test.each([[undefined], [null], ["text"], [{ code: 1 }]])("may fail with anything: %j", async (thrown) => {
    const { upstream, proxy, heard } = setUpProxy();
    const connecting = upstream.connect();
    proxy().connects[0]?.reject(thrown);
    await expect(connecting).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    expect(heard).toEqual([[false, 'Connector "k" could not be connected', undefined]]);
  });

  test("keeps the words of an error of ours: they are fit for anybody", async () => {
    const { upstream, proxy, heard } = setUpProxy();
    const connecting = upstream.connect();
    proxy().connects[0]?.reject(new GatewayError("UPSTREAM_TIMEOUT", "no answer", { detail: "for operators" }));
    await expect(connecting).rejects.toThrow("no answer");
    expect(heard).toEqual([[false, "no answer", "for operators"]]);
  });

  test("a factory that throws is a failure like any other, and is asked again", async () => {
    let healthy = false;
    const { upstream, heard, time } = setUpProxy((options) => {
      if (!healthy) throw new Error("no factory");
      return Object.assign(new TestProxy(options), { connect: () => {} });
    });
    await expect(upstream.connect()).rejects.toThrow("no factory");
    expect(heard).toEqual([[false, REFUSED, "no factory"]]);
    healthy = true;
    await time.advance(100);
    expect(heard.at(-1)).toEqual([true]);
  });

  test("one that hangs is given up with its proxy after connectMs; the next attempt has a new one, and nobody hears the old", async () => {
    const { upstream, made, heard, begin, time } = setUpProxy();
    await begin();
    const [old] = made;
    await time.advance(999);
    expect(heard).toEqual([]);
    await time.advance(1);
    expect(heard).toEqual([[false, 'Connector "k" could not be connected within 1000 ms', undefined]]);
    expect(old?.disconnects).toBe(1);
    old?.connects[0]?.resolve();
    old?.options.onAvailability(true);
    old?.options.onToolsChanged();
    await settle();
    expect(heard).toHaveLength(1);
    await time.advance(100);
    expect(made).toHaveLength(2);
    made[1]?.connects[0]?.resolve();
    await settle();
    expect(heard.at(-1)).toEqual([true]);
    await upstream.dispose();
    expect(made.map(({ disconnects }) => disconnects)).toEqual([1, 1]);
  });
});

describe("R6: what a caller's proxy says about itself", () => {
  test("that it is not up counts more than that connect() resolved", async () => {
    const { upstream, proxy, heard } = setUpProxy();
    const connecting = upstream.connect();
    proxy().options.onAvailability(true);
    proxy().options.onAvailability(false, "warming up", "cache cold");
    proxy().connects[0]?.resolve();
    await expect(connecting).rejects.toThrow("warming up");
    expect(heard).toEqual([[false, 'Connector "k" is not up: warming up', "cache cold"]]);
    proxy().options.onAvailability(true);
    expect(heard.at(-1)).toEqual([true]);
  });

  test("without a reason there is one all the same", async () => {
    const { upstream, proxy } = setUpProxy();
    const connecting = upstream.connect();
    proxy().options.onAvailability(false);
    proxy().connects[0]?.resolve();
    await expect(connecting).rejects.toThrow('Connector "k" is not up: its proxy says so');
  });

  test("down takes it down and has it connected again; up brings it up earlier", async () => {
    const { upstream, proxy, heard, goUp, time } = setUpProxy();
    await goUp();
    proxy().options.onAvailability(false, "gone", "ECONNRESET");
    proxy().options.onAvailability(false, "still gone");
    expect(heard.slice(1)).toEqual([[false, "gone", "ECONNRESET"]]);
    expect([upstream.facts, time.delays]).toEqual([undefined, [100]]);
    proxy().options.onAvailability(true);
    proxy().options.onAvailability(true);
    expect(heard.slice(2)).toEqual([[true]]);
    expect(time.pending).toBe(0);
    proxy().options.onAvailability(false);
    await time.advance(time.delays[0] ?? 0);
    expect(proxy().connects).toHaveLength(2);
  });

  test("flapping makes the delays grow; ten seconds up starts them over", async () => {
    const { proxy, goUp, time } = setUpProxy();
    await goUp();
    for (const delay of [100, 200, 400]) {
      proxy().options.onAvailability(false);
      expect(time.delays).toEqual([delay]);
      proxy().options.onAvailability(true);
    }
    await time.advance(10_000);
    proxy().options.onAvailability(false);
    expect(time.delays).toEqual([100]);
  });

  test("changes of its tools are passed on while it is up", async () => {
    const { proxy, changes, goUp, begin } = setUpProxy();
    await begin();
    proxy().options.onToolsChanged();
    expect(changes.tools).toBe(0);
    await goUp();
    proxy().options.onToolsChanged();
    expect(changes.tools).toBe(1);
  });

  test("a word it says while its tools are asked for in the same turn is heard", async () => {
    const { upstream, proxy, heard, goUp } = setUpProxy();
    await goUp();
    proxy().tools = () => {
      proxy().options.onAvailability(false, "oops");
      return [];
    };
    await upstream.list("tools");
    expect(heard.at(-1)).toEqual([false, "oops", undefined]);
  });
});
