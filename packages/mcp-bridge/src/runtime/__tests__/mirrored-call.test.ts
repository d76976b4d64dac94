import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, MODERN_CALLER, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { failure, json, modern, openStream, result, upstream } from "../../http/__tests__/scripted-upstream.js";
import type { UpstreamCall } from "../exchange.js";
import { proxyTo } from "./proxy-to.js";

// R22: a tool whose annotations changed (2026-07-28, Streamable HTTP, Client Behavior; T14, T16).

/** An upstream whose tool wants `a` in the header that it lists, when it has listed it. */
async function changing(first: string | undefined) {
  const state: { wants: string | undefined; list: (answer: () => void) => void; moves: boolean } = {
    wants: first,
    list: (answer) => {
      answer();
    },
    moves: false,
  };
  const property = (): JsonObject =>
    state.wants === undefined ? { type: "integer" } : { type: "integer", "x-mcp-header": state.wants };
  const server = await upstream(
    modern((seen, res) => {
      if (seen.method === "tools/list") {
        state.list(() => {
          const tool = { name: "echo", inputSchema: { type: "object", properties: { a: property() } } };
          json(res, 200, result(seen, { tools: [tool] }));
          if (state.moves) state.wants = `${state.wants ?? ""}x`;
        });
        return;
      }
      const sent = Object.entries(seen.headers).filter(([name]) => name.startsWith("mcp-param-"));
      const expected = state.wants === undefined ? [] : [[`mcp-param-${state.wants}`, "1"]];
      if (JSON.stringify(sent) === JSON.stringify(expected))
        json(res, 200, result(seen, { resultType: "complete", content: [] }));
      else json(res, 400, failure(seen, -32_020, "Header mismatch"));
    }),
  );
  const { proxy, changes } = proxyTo(server.url);
  await proxy.list("tools");
  const begun = (call: UpstreamCall) => {
    const sink = new RecordingSink();
    return { sink, exchange: proxy.send(call, sink) };
  };
  const answered = async (call: UpstreamCall): Promise<unknown> => answerOf(await begun(call).sink.done);
  const count = (): [number, number] => [server.of("tools/call").length, server.of("tools/list").length];
  return { proxy, changes, state, begun, answered, count };
}

const answerOf = (sink: RecordingSink): unknown => sink.response ?? sink.body;

const MISMATCH = { id: 7, error: { code: -32_020, message: "Header mismatch" } };

describe.each([
  ["a legacy client", toolCall(LEGACY_CALLER)],
  ["a modern client whose transport has no headers", toolCall(MODERN_CALLER)],
])("a call of %s", (_, call) => {
  test.each([
    ["another header", "a", "b"],
    ["a header where there was none", undefined, "b"],
    ["no header any more", "a", undefined],
  ])("is sent once more when the tool wants %s", async (__, before, after) => {
    const { answered, state, count } = await changing(before);
    expect(await answered(call)).toMatchObject({ id: 7, result: { content: [] } });
    state.wants = after;
    expect(await answered(call)).toMatchObject({ id: 7, result: { content: [] } });
    expect(count()).toEqual([3, 2]);
    expect(await answered(call)).toMatchObject({ id: 7, result: { content: [] } });
    expect(count()).toEqual([4, 2]);
  });

  test("is sent twice at most", async () => {
    const { answered, state, count } = await changing("a");
    state.wants = "b";
    state.moves = true;
    expect(await answered(call)).toMatchObject(MISMATCH);
    expect(count()).toEqual([2, 2]);
  });

  test("is not sent again when the list says what it said", async () => {
    const { answered, state, count } = await changing("a");
    state.wants = "b";
    // It is what it was again by the time it is asked.
    state.list = (answer) => {
      state.wants = "a";
      answer();
    };
    expect(await answered(call)).toMatchObject(MISMATCH);
    expect(count()).toEqual([1, 2]);
  });

  test("that is cancelled while the tools are listed is not sent again", async () => {
    const { begun, proxy, state, count } = await changing("a");
    state.wants = "b";
    let go = (): void => {};
    const { list } = state;
    state.list = (answer) => void (go = answer);
    const { exchange, sink } = begun(call);
    await vi.waitFor(() => expect(count()).toEqual([1, 2]));
    exchange.cancel("never mind");
    go();
    state.list = list;
    await proxy.list("tools");
    expect(count()).toEqual([1, 3]);
    expect(sink.endings).toEqual([]);
  });

  test("shares one list with all that were refused at the same time", async () => {
    const { answered, state, count } = await changing("a");
    state.wants = "b";
    let go = (): void => {};
    state.list = (answer) => void (go = answer);
    const answers = Promise.all(Array.from({ length: 5 }, async () => answered(call)));
    await vi.waitFor(() => expect(count()).toEqual([5, 2]));
    go();
    for (const answer of await answers) expect(answer).toMatchObject({ result: { content: [] } });
    expect(count()).toEqual([10, 2]);
  });
});

test("a call of the gateway's own is sent once more as well, and fails as it did when that is of no use", async () => {
  const { proxy, state, count } = await changing("a");
  state.wants = "b";
  expect(await proxy.callTool("echo", { a: 1 })).toMatchObject({ content: [] });
  expect(count()).toEqual([2, 2]);
  state.wants = "c";
  state.list = (answer) => {
    state.wants = "b";
    answer();
  };
  await expect(proxy.callTool("echo", { a: 1 })).rejects.toMatchObject({ data: { upstreamCode: -32_020 } });
  expect(count()).toEqual([3, 3]);
});

test("the headers of a modern client over HTTP are its own: the refusal is passed on, and the tools count as changed", async () => {
  const { answered, changes, state, count } = await changing("a");
  state.wants = "b";
  expect(await answered({ ...toolCall(MODERN_CALLER), paramHeaders: { "mcp-param-a": "1" } })).toMatchObject(MISMATCH);
  expect(count()).toEqual([1, 1]);
  expect(changes.count).toBe(1);
  expect(
    await answered({ ...toolCall(MODERN_CALLER), paramHeaders: { "mcp-param-b": "1", "mcp-param-new": "=?" } }),
  ).toMatchObject(MISMATCH);
});

test("other refusals, progress, event streams and failures pass as they come", async () => {
  const server = await upstream(
    modern((seen, res) => {
      const { name, _meta } = seen.message["params"] as { name: string; _meta: { progressToken: number } };
      if (name === "streams") {
        const send = openStream(res);
        send({ jsonrpc: "2.0", method: "notifications/progress", params: { ..._meta, progress: 1 } });
        send(result(seen, { resultType: "complete", content: [] }));
      } else if (name === "garbled") res.writeHead(400, { "content-type": "application/json" }).end("{");
      else if (name === "gone") res.destroy();
      else json(res, 400, failure(seen, -32_602, "no such tool"));
    }),
  );
  const { proxy } = proxyTo(server.url);
  const done = async (name: string, caller = MODERN_CALLER) => {
    const sink = new RecordingSink();
    proxy.send(toolCall(caller, 7, { progressToken: 5 }, name), sink).resume();
    return sink.done;
  };
  expect((await done("other")).body).toMatchObject({ error: { code: -32_602 } });
  expect((await done("other", LEGACY_CALLER)).response).toMatchObject({ error: { code: -32_602 } });
  expect((await done("streams")).messages).toHaveLength(2);
  const converted = await done("streams", LEGACY_CALLER);
  expect([converted.notifications.length, converted.response]).toMatchObject([1, { result: { content: [] } }]);
  expect((await done("garbled")).endings).toEqual(["fail"]);
  expect((await done("gone")).endings).toEqual(["fail"]);
});
