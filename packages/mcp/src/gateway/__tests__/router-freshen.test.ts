import { toJsonRpcError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { ready, setUp } from "./router-set-up.js";

/** A ready router whose source is stale: asked to be fresh, it names `a` and `b`, whose upstream then offers `y`. */
async function stale() {
  const parts = await ready();
  let asked = 0;
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  parts.fresh.freshen = () => {
    asked += 1;
    return arrived;
  };
  const freshen = async (): Promise<void> => {
    parts.name("a", "b");
    arrive();
    await settle();
    await parts.upstreams.of("b").serve("y");
    await settle();
  };
  return { ...parts, freshen, asked: () => asked };
}

describe("a source that is read on demand (R7, MCP_CONNECTOR_REFRESH_SYNC)", () => {
  test("is read before a list is served, in either era", async () => {
    for (const era of ["modern", "legacy"] as const) {
      const { ask, freshen } = await stale();
      const { sink, exchange } = ask("tools/list", {}, era);
      exchange.resume();
      expect(sink.events).toEqual([]);
      await freshen();
      expect(sink.only).toMatchObject({ result: { tools: [{ name: "a__x" }, { name: "b__y" }] } });
    }
  });

  test("is read before a tool is called unknown, and the call goes out then", async () => {
    const { ask, freshen, upstreams } = await stale();
    const [found, unknown] = [ask("tools/call", { name: "b__y" }), ask("tools/call", { name: "b__z" }, "modern", 2)];
    expect([found.sink.events, unknown.sink.events]).toEqual([[], []]);
    await freshen();
    expect(upstreams.of("b").sent.map(({ call }) => call.params?.["name"])).toEqual(["y"]);
    found.exchange.cancel("enough");
    expect(upstreams.of("b").sent[0]?.cancelled).toBe("enough");
    expect(unknown.sink.failure.code).toBe("TOOL_UNKNOWN");
  });

  test("is read behind a call of a known tool, which does not wait for it: a client that only calls follows it as well", async () => {
    const { ask, upstreams, asked, freshen } = await stale();
    ask("tools/call", { name: "a__x" });
    expect([asked(), upstreams.of("a").sent.length]).toEqual([1, 1]);
    await freshen();
    const { sink } = ask("tools/call", { name: "b__y" });
    expect([upstreams.of("b").sent.length, sink.events]).toEqual([1, []]);
  });

  test("is read once a second at most, however many calls there are and whatever comes of it", async () => {
    const { ask, fresh, time } = await ready();
    let asked = 0;
    fresh.freshen = async () => {
      asked += 1;
      return Promise.reject(new Error("the publisher is away"));
    };
    const calls = (): void => {
      for (let id = 0; id < 50; id += 1) ask("tools/call", { name: "a__x" }, "modern", id);
    };
    calls();
    await time.advance(999);
    calls();
    expect(asked).toBe(1);
    await time.advance(1);
    calls();
    expect(asked).toBe(2);
  });

  test("that is fresh is asked whether it is with every call, so that it ceases to be at the first one after", async () => {
    const { ask, fresh } = await ready();
    const answers = [undefined, undefined, Promise.resolve()];
    fresh.freshen = () => answers.shift();
    for (let id = 0; id < 3; id += 1) ask("tools/call", { name: "a__x" }, "modern", id);
    expect(answers).toEqual([]);
  });

  test("a client that gave up meanwhile gets no answer", async () => {
    const { ask, freshen } = await stale();
    const { sink, exchange } = ask("tools/list");
    exchange.cancel("the client disconnected");
    await freshen();
    expect(sink.events).toEqual([]);
  });

  test("a source that could not be made fresh leaves what there is, and what is unknown stays so", async () => {
    const { ask, fresh } = await ready();
    fresh.freshen = async () => Promise.resolve();
    const [list, call] = [ask("tools/list"), ask("tools/call", { name: "b__y" })];
    await settle();
    expect(list.sink.only).toMatchObject({ result: { tools: [{ name: "a__x" }] } });
    expect(toJsonRpcError(call.sink.failure)).toEqual({ code: -32_602, message: 'Unknown tool: "b__y"' });
  });

  test("is read after the start, not instead of it", async () => {
    const { ask, upstreams, fresh } = await setUp(["a"]);
    let asked = 0;
    fresh.freshen = async () => {
      asked += 1;
      await Promise.resolve();
    };
    const [list, call] = [ask("tools/list"), ask("tools/call", { name: "a__x" })];
    expect(asked).toBe(0);
    await upstreams.of("a").serve("x");
    await settle();
    expect(asked).toBe(1);
    expect(list.sink.only).toMatchObject({ result: { tools: [{ name: "a__x" }] } });
    expect(upstreams.of("a").sent).toHaveLength(1);
    expect(call.sink.events).toEqual([]);
  });
});
