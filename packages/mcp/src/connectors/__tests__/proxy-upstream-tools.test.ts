import { describe, expect, test, vi } from "vitest";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { Answer, setUpProxy } from "./proxy-upstream-set-up.js";

describe("R6: the tools of a caller's proxy", () => {
  test("may come at once or later; one without a schema takes any object, and what cannot be written is dropped", async () => {
    const { upstream, proxy, goUp } = setUpProxy();
    await goUp();
    proxy().tools = () => [{ name: "a", description: "A", execute: () => {} }];
    const expected = { entries: [{ name: "a", description: "A", inputSchema: { type: "object" } }] };
    expect(await upstream.list("tools")).toEqual(expected);
    const { tools } = proxy();
    proxy().tools = async () => Promise.resolve(tools());
    expect(await upstream.list("tools")).toEqual(expected);
  });

  test("there is nothing else to list (R6)", async () => {
    const { upstream, goUp } = setUpProxy();
    await goUp();
    for (const kind of ["resources", "resourceTemplates", "prompts"] as const)
      expect(await upstream.list(kind)).toEqual({ entries: [] });
    await expect(upstream.subscribe("a:b")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await upstream.unsubscribe("a:b");
    upstream.setLogLevel("debug");
  });

  test("entries that are no tools are left out with one warning", async () => {
    const { upstream, proxy, goUp, logger } = setUpProxy();
    await goUp();
    proxy().tools = () => [42, null, {}, { name: "" }, { name: 7 }, { name: "a", inputSchema: { type: "object" } }];
    expect((await upstream.list("tools")).entries.map(({ name }) => name)).toEqual(["a"]);
    expect(logger.lines).toContainEqual({
      level: "warn",
      fields: { connectorId: "k", count: 5 },
      message: "Tools that break the specification were left out",
    });
  });

  const circular: Record<string, unknown> = { name: "a" };
  circular["self"] = circular;
  test.each([
    ["nothing", undefined],
    ["text", "tools"],
    ["an object", { tools: [] }],
    ["a tool that contains itself", [circular]],
    ["a number that JSON has not", [{ name: "a", big: 1n }]],
  ])("nonsense is an error: %s", async (_what, answer) => {
    const { upstream, proxy, goUp } = setUpProxy();
    await goUp();
    proxy().tools = () => answer;
    await expect(upstream.list("tools")).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
  });

  test("are not waited for longer than listMs", async () => {
    const { upstream, proxy, goUp, time } = setUpProxy();
    await goUp();
    proxy().tools = () => new Answer().promise;
    const listing = upstream.list("tools");
    const expected = expect(listing).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    await time.advance(2_000);
    await expected;
    expect(time.pending).toBe(0);
  });

  test("cannot be had while it is down", async () => {
    const { upstream } = setUpProxy();
    await expect(upstream.list("tools")).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: 'Connector "k" is not connected; it is being tried again',
    });
  });
});

describe("R6: calls through a caller's proxy", () => {
  test("get name and arguments, and options only when there is a signal", async () => {
    const { upstream, proxy, goUp } = setUpProxy();
    await goUp();
    expect(await upstream.callTool("t", { a: 1 })).toEqual({ content: [] });
    const { signal } = new AbortController();
    await upstream.callTool("t", {}, { signal });
    expect(proxy().calls).toEqual([
      ["t", { a: 1 }],
      ["t", {}, { signal }],
    ]);
  });

  test.each([
    [
      { content: [], isError: true },
      { content: [], isError: true },
    ],
    ["pong", { content: [{ type: "text", text: "pong" }] }],
    [[1, 2], { content: [{ type: "text", text: "[1,2]" }] }],
    [undefined, { content: [] }],
    [null, { content: [] }],
  ])("what is no result becomes one: %j", async (answer, result) => {
    const { upstream, proxy, goUp } = setUpProxy();
    await goUp();
    proxy().answer = () => answer;
    expect(await upstream.callTool("t", {})).toEqual(result);
  });

  test("fail as the proxy fails, or when nothing came within callMs", async () => {
    const { upstream, proxy, goUp, time } = setUpProxy();
    await goUp();
    const failure = new Error("no");
    proxy().answer = () => {
      throw failure;
    };
    await expect(upstream.callTool("t", {})).rejects.toBe(failure);
    proxy().answer = () => new Answer().promise;
    const expected = expect(upstream.callTool("t", {})).rejects.toThrow('Connector "k" did not answer within 3000 ms');
    await time.advance(3_000);
    await expected;
  });

  test("a client's request cannot be forwarded to it", () => {
    const { upstream } = setUpProxy();
    const sink = new RecordingSink();
    const caller = { era: "modern" as const, revision: "2026-07-28", capabilities: {}, principal: "p" };
    const exchange = upstream.send({ id: 1, method: "tools/call", params: {}, caller }, sink);
    exchange.cancel();
    exchange.resume();
    upstream.endSession("s");
    expect(sink.failure).toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: 'Connector "k" takes no forwarded requests',
    });
  });
});

describe("R6: a caller's proxy that is released", () => {
  test("is disconnected once, its calls fail, nothing is heard any more and no timer is left", async () => {
    const { upstream, proxy, heard, goUp, time } = setUpProxy();
    await goUp();
    proxy().answer = () => new Answer().promise;
    const expected = expect(upstream.callTool("t", {})).rejects.toThrow('Connector "k" is being closed');
    await Promise.all([upstream.dispose(), upstream.dispose()]);
    await expected;
    proxy().options.onAvailability(false, "late");
    expect([proxy().disconnects, heard, time.pending]).toEqual([1, [[true]], 0]);
    await expect(upstream.connect()).rejects.toThrow("is being closed");
    expect(time.pending).toBe(0);
  });

  test("while it connects: the attempt fails, and that is no news", async () => {
    const { upstream, proxy, heard, time } = setUpProxy();
    const connecting = upstream.connect();
    await upstream.dispose();
    await expect(connecting).rejects.toThrow("is being closed");
    proxy().connects[0]?.resolve();
    await settle();
    expect([heard, proxy().disconnects, time.pending]).toEqual([[], 1, 0]);
  });

  test.each([
    ["rejects", async () => Promise.reject(new Error("will not die"))],
    [
      "throws",
      () => {
        throw new Error("will not die");
      },
    ],
  ])("one whose disconnect() %s is logged", async (_how, onDisconnect) => {
    const { upstream, proxy, goUp, logger } = setUpProxy();
    await goUp();
    proxy().onDisconnect = onDisconnect;
    await upstream.dispose();
    expect(logger.lines).toMatchObject([
      {
        level: "warn",
        fields: { connectorId: "k", err: { message: "will not die" } },
        message: "A connector's proxy did not disconnect cleanly",
      },
    ]);
  });

  test("one whose disconnect() hangs is left to itself after five seconds", async () => {
    const { upstream, proxy, goUp, logger, time } = setUpProxy();
    await goUp();
    proxy().onDisconnect = () => new Answer().promise;
    const released = vi.fn<() => void>();
    void upstream.dispose().then(released);
    await time.advance(4_999);
    expect(released).not.toHaveBeenCalled();
    await time.advance(1);
    expect(released).toHaveBeenCalledOnce();
    expect(logger.messages("warn")).toEqual(["A connector's proxy did not disconnect cleanly"]);
  });
});

test("connectors that are not reached over HTTP are made otherwise", () => {
  const { createUpstream } = setUpProxy();
  const spec = specOf("x", { transport: { kind: "unsupported", reason: "no" } });
  const events = {
    onAvailability: () => {},
    onListChanged: () => {},
    onNotification: () => {},
    onQuestion: () => undefined,
    onIsolated: () => {},
    onAsleep: () => {},
  };
  expect(() => createUpstream(spec, events)).toThrow("not an HTTP connector");
});
