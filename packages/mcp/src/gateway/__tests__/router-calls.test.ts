import { GatewayError, toJsonRpcError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { CALLER, ready, setUp } from "./router-set-up.js";

describe("the router's calls", () => {
  test("reach the upstream under its own name, with the caller's params otherwise untouched and not changed", async () => {
    const { router, scopes, upstreams, observed, time } = await ready();
    const params = Object.freeze({ name: "a__x", arguments: { deep: [1] }, _meta: { progressToken: 7 } });
    const sink = new RecordingSink();
    router.handle(
      {
        message: { jsonrpc: "2.0", id: "c1", method: "tools/call", params },
        caller: { ...CALLER, sessionKey: "s" },
        scope: scopes.whole,
        paramHeaders: { "mcp-param-region": "eu" },
      },
      sink,
    );
    const [sent] = upstreams.of("a").sent;
    expect(sent?.call).toEqual({
      id: "c1",
      method: "tools/call",
      params: { name: "x", arguments: { deep: [1] }, _meta: { progressToken: 7 } },
      caller: { ...CALLER, sessionKey: "s" },
      paramHeaders: { "mcp-param-region": "eu" },
    });
    expect(sent?.call.params?.["arguments"]).toBe(params.arguments);
    expect(Object.keys(sent?.call.params ?? {})).toEqual(["name", "arguments", "_meta"]);
    await time.advance(40);
    sent?.sink.respond({ jsonrpc: "2.0", id: "c1", result: {} });
    expect(sink.only).toEqual({ kind: "respond", response: { jsonrpc: "2.0", id: "c1", result: {} } });
    expect(observed).toEqual([
      { method: "tools/call", era: "modern", connector: "a", outcome: "answered", seconds: 0.04 },
    ]);
  });

  test("pass the caller's own params object on when no name has to change", async () => {
    const { ask, upstreams } = await setUp(["a"], { names: { prefix: "never" } });
    await upstreams.of("a").serve("x");
    await settle();
    const params = { name: "x" };
    ask("tools/call", params);
    expect(upstreams.of("a").sent[0]?.call.params).toBe(params);
    expect(upstreams.of("a").sent[0]?.call.paramHeaders).toBeUndefined();
  });

  test("T10: are held against the headers of parameters they mirror, whatever the upstream's transport", async () => {
    const { router, scopes, upstreams, observed } = await setUp(["a"]);
    const region = { type: "string", "x-mcp-header": "Region" };
    upstreams.of("a").goUp();
    await upstreams.of("a").answerTools([{ name: "x", inputSchema: { type: "object", properties: { region } } }]);
    await settle();
    const call = (paramHeaders: Record<string, string> | undefined): RecordingSink => {
      const sink = new RecordingSink();
      const params = { name: "a__x", arguments: { region: "eu" } };
      const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params } as const;
      router.handle(
        { message, caller: CALLER, scope: scopes.whole, ...(paramHeaders === undefined ? {} : { paramHeaders }) },
        sink,
      );
      return sink;
    };
    expect(call({ "mcp-param-region": "us" }).failure).toMatchObject({
      code: "HEADER_MISMATCH",
      message: 'Header mismatch: mcp-param-region header value "us" does not match body value "eu"',
    });
    expect(call({}).failure).toMatchObject({ code: "HEADER_MISMATCH" });
    expect(upstreams.of("a").sent).toEqual([]);
    expect(observed.filter(({ connector }) => connector !== undefined)).toEqual([]);
    call({ "mcp-param-region": "eu" });
    call(undefined);
    expect(upstreams.of("a").sent).toHaveLength(2);
  });

  test("are cancelled and resumed at the upstream", async () => {
    const { ask, upstreams } = await ready();
    const { exchange } = ask("tools/call", { name: "a__x" });
    exchange.resume();
    exchange.cancel("enough");
    expect(upstreams.of("a").sent).toMatchObject([{ cancelled: "enough", resumed: 1 }]);
  });

  test.each([[undefined], [{}], [{ name: 7 }], [{ name: null }], [{ Name: "a__x" }]])(
    "without a tool's name (%j) are refused with −32602",
    async (params) => {
      const { ask } = await ready();
      expect(toJsonRpcError(ask("tools/call", params).sink.failure)).toEqual({
        code: -32_602,
        message: "params.name must be the name of a tool",
      });
    },
  );

  test.each(["x", "a__y", "b__x", "A__x", "a__x ", "__proto__", "constructor", ""])(
    "of the unknown tool %j are refused with −32602",
    async (name) => {
      const { ask, upstreams } = await ready();
      expect(toJsonRpcError(ask("tools/call", { name }).sink.failure)).toEqual({
        code: -32_602,
        message: `Unknown tool: ${JSON.stringify(name)}`,
      });
      expect(upstreams.of("a").sent).toEqual([]);
    },
  );

  test("of a tool with a name as long as a book get a short answer", async () => {
    const { ask } = await ready();
    expect(ask("tools/call", { name: "n".repeat(100_000) }).sink.failure.message.length).toBeLessThan(250);
  });

  test("of a connector that never came up fail with −31001 and the reason", async () => {
    const { ask, upstreams } = await setUp(["a", "down"]);
    upstreams.of("down").goDown("connection refused");
    await upstreams.of("a").serve("x");
    await settle();
    expect(toJsonRpcError(ask("tools/call", { name: "down__x" }).sink.failure)).toEqual({
      code: -31_001,
      message: 'Tool "down__x" is not available: connector "down" is down: connection refused',
    });
  });

  test("of a connector that is disabled or still connecting say so", async () => {
    const { ask, time } = await setUp(["off", "slow"], { disabled: "off" });
    await time.advance(20_000);
    expect(ask("tools/call", { name: "off__x" }).sink.failure.message).toContain('connector "off" is disabled');
    expect(ask("tools/call", { name: "slow__x" }).sink.failure.message).toContain('connector "slow" is connecting');
  });

  test("find the connector that is down also when another's key begins the name too", async () => {
    const { ask, upstreams } = await setUp(["a", "a__b"]);
    await upstreams.of("a").serve("x");
    upstreams.of("a__b").goDown("refused");
    await settle();
    expect(ask("tools/call", { name: "a__b__x" }).sink.failure.code).toBe("UPSTREAM_UNAVAILABLE");
  });

  test("of a tool that a connector no longer lists are unknown, also while it is down", async () => {
    const { ask, upstreams } = await ready();
    upstreams.of("a").goDown("gone");
    await settle();
    expect(ask("tools/call", { name: "a__y" }).sink.failure.code).toBe("TOOL_UNKNOWN");
  });

  test("explain nothing when names are not always prefixed", async () => {
    const { ask, upstreams } = await setUp(["a", "b"], { names: { prefix: "auto" } });
    upstreams.of("a").goDown("refused");
    await upstreams.of("b").serve("y");
    await settle();
    expect(ask("tools/call", { name: "a__x" }).sink.failure.code).toBe("TOOL_UNKNOWN");
  });

  test("of a tool whose connector is down go to its upstream, which fails them at once with the reason", async () => {
    const { ask, upstreams, observed } = await ready();
    upstreams.of("a").goDown("gone");
    const { sink } = ask("tools/call", { name: "a__x" });
    upstreams.of("a").sent[0]?.sink.fail(new GatewayError("UPSTREAM_UNAVAILABLE", "a is down: gone"));
    expect(sink.failure.code).toBe("UPSTREAM_UNAVAILABLE");
    expect(observed).toEqual([
      {
        ...{ method: "tools/call", era: "modern", connector: "a", outcome: "failed", seconds: 0 },
        code: "UPSTREAM_UNAVAILABLE",
      },
    ]);
  });

  test("of a tool that is still listed but whose connector just left are unknown", async () => {
    const { ask, directory } = await ready();
    directory.find = () => undefined;
    expect(ask("tools/call", { name: "a__x" }).sink.failure.code).toBe("TOOL_UNKNOWN");
  });

  test("that come while connectors start go out as soon as the tool is there", async () => {
    const { ask, upstreams } = await setUp(["a", "b"]);
    const waiting = ask("tools/call", { name: "a__x" });
    const cancelled = ask("tools/call", { name: "a__x" }, "legacy", 2);
    const unknown = ask("tools/call", { name: "a__y" });
    cancelled.exchange.cancel("changed my mind");
    await upstreams.of("a").serve("x");
    upstreams.of("b").goDown("refused");
    await settle();
    expect(upstreams.of("a").sent.map(({ call }) => call.id)).toEqual([1]);
    expect(unknown.sink.failure.code).toBe("TOOL_UNKNOWN");
    waiting.exchange.cancel("late");
    expect(upstreams.of("a").sent[0]?.cancelled).toBe("late");
  });

  test("of a tool that is known already need not wait for the other connectors", async () => {
    const { ask, upstreams, directory } = await setUp(["a", "b"]);
    await upstreams.of("a").serve("x");
    await settle();
    expect(directory.gate.isOpen).toBe(false);
    ask("tools/call", { name: "a__x" });
    expect(upstreams.of("a").sent).toHaveLength(1);
  });
});
