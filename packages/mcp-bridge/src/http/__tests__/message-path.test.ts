import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { failure, json, legacy, modern, openStream, result, stream, upstream, type Seen } from "./scripted-upstream.js";

const tokenOf = (seen: Seen): unknown =>
  ((seen.message["params"] as JsonObject)["_meta"] as JsonObject | undefined)?.["progressToken"];

const progress = (token: unknown, value: number): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/progress",
  params: { progressToken: token as string, progress: value },
});

describe("a modern client and a legacy upstream (R8, R22)", () => {
  test("the request loses the modern metadata, the result gains its type, ids and progress tokens are put back", async () => {
    const server = await upstream(
      legacy(
        (seen, res) =>
          stream(res, progress(tokenOf(seen), 1), progress("a stranger's", 9), result(seen, { content: [] })),
        {
          sessions: new Set(),
        },
      ),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER, "mine", { progressToken: "p", "com.example/x": 1 }), sink);
    await sink.done;
    expect(sink.response).toEqual({ jsonrpc: "2.0", id: "mine", result: { resultType: "complete", content: [] } });
    expect(sink.notifications).toEqual([progress("p", 1)]);
    const [seen] = server.of("tools/call");
    expect(seen?.message["id"]).not.toBe("mine");
    const params = seen?.message["params"] as JsonObject;
    expect(params["_meta"]).toEqual({ progressToken: seen?.message["id"], "com.example/x": 1 });
    expect(seen?.headers["mcp-method"]).toBeUndefined();
  });

  test("two clients with the same id and token share a session, and each gets its own answer", async () => {
    const held: (() => void)[] = [];
    const server = await upstream(
      legacy(
        (seen, res) => {
          const send = openStream(res);
          const { arguments: args } = seen.message["params"] as JsonObject;
          held.push(() => {
            send(progress(tokenOf(seen), 1));
            send(result(seen, { args }));
            res.end();
          });
        },
        { sessions: new Set() },
      ),
    );
    const { link } = await openLink(server.url);
    const sinks = [1, 2].map((who) => {
      const sink = new RecordingSink();
      const call = toolCall(MODERN_CALLER, 1, { progressToken: 1 });
      link.send({ ...call, params: { ...call.params, arguments: { who } } }, sink);
      return sink;
    });
    await vi.waitFor(() => expect(held).toHaveLength(2));
    for (const answer of held.toReversed()) answer();
    await Promise.all(sinks.map((sink) => sink.done));
    expect(sinks.map((sink) => sink.response)).toEqual(
      [1, 2].map((who) => ({ jsonrpc: "2.0", id: 1, result: { resultType: "complete", args: { who } } })),
    );
    expect(sinks.map((sink) => sink.notifications.length)).toEqual([1, 1]);
    const ids = server.of("tools/call").map((seen) => seen.message["id"]);
    expect(new Set(ids).size).toBe(2);
    expect(new Set(server.of("tools/call").map((seen) => seen.headers["mcp-session-id"])).size).toBe(1);
    expect(server.of("initialize")).toHaveLength(2);
  });

  test("legacy clients without a session of their own share their principal's, under ids that cannot collide", async () => {
    const server = await upstream(legacy((seen, res) => json(res, 200, result(seen, {})), { sessions: new Set() }));
    const { link } = await openLink(server.url);
    const caller: Caller = { era: "legacy", revision: "2025-06-18", principal: "anna" };
    const sinks = [1, 2].map(() => {
      const sink = new RecordingSink();
      link.send(toolCall(caller, "same"), sink);
      return sink;
    });
    await Promise.all(sinks.map((sink) => sink.done));
    expect(sinks.map((sink) => sink.response)).toEqual([1, 2].map(() => ({ jsonrpc: "2.0", id: "same", result: {} })));
    expect(new Set(server.of("tools/call").map((seen) => seen.message["id"])).size).toBe(2);
    expect(server.of("initialize")).toHaveLength(2);
  });

  test("clients of two principals never share a session", async () => {
    const server = await upstream(legacy((seen, res) => json(res, 200, result(seen, {})), { sessions: new Set() }));
    const { link } = await openLink(server.url);
    for (const principal of ["anna", "bert", "anna"]) {
      const sink = new RecordingSink();
      link.send(toolCall({ ...MODERN_CALLER, principal }), sink);
      await sink.done;
    }
    const used = server.of("tools/call").map((seen) => seen.headers["mcp-session-id"]);
    expect(used).toEqual(["session-2", "session-3", "session-2"]);
  });

  test("log messages reach only clients that asked for them in this request", async () => {
    const log: JsonObject = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x" } };
    const server = await upstream(legacy((seen, res) => stream(res, log, result(seen, {}))));
    const { link } = await openLink(server.url);
    const quiet = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), quiet);
    const curious = new RecordingSink();
    link.send(toolCall(MODERN_CALLER, 8, { [META.logLevel]: "info" }), curious);
    await Promise.all([quiet.done, curious.done]);
    expect(quiet.notifications).toEqual([]);
    expect(curious.notifications).toEqual([log]);
  });

  test("cancelling tells the upstream its own id and closes the response", async () => {
    const server = await upstream(legacy((_, res) => void openStream(res), { sessions: new Set() }));
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    const exchange = link.send(toolCall(MODERN_CALLER, "mine"), sink);
    await vi.waitFor(() => expect(server.methods).toContain("tools/call"));
    exchange.resume();
    exchange.cancel();
    await vi.waitFor(() => expect(server.methods).toContain("notifications/cancelled"));
    const [call] = server.of("tools/call");
    expect(server.of("notifications/cancelled")[0]?.message["params"]).toEqual({ requestId: call?.message["id"] });
    await vi.waitFor(() => expect(call?.aborted).toBe(true));
    expect(sink.endings).toEqual([]);
  });

  test("a call that takes too long is cancelled at the upstream as well", async () => {
    const time = new ManualTime();
    const server = await upstream(legacy(() => {}, { sessions: new Set() }));
    const { link } = await openLink(server.url, { time, timeouts: { callMs: 50 } });
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(server.methods).toContain("tools/call"));
    await time.advance(50);
    expect(sink.error?.code).toBe("UPSTREAM_TIMEOUT");
    await vi.waitFor(() => expect(server.methods).toContain("notifications/cancelled"));
  });

  test("requests of the upstream are refused in its session: no capability was declared; a ping is answered", async () => {
    const server = await upstream(
      legacy(
        (seen, res) => {
          stream(
            res,
            { jsonrpc: "2.0", id: "a", method: "sampling/createMessage", params: {} },
            { jsonrpc: "2.0", id: "b", method: "ping" },
            result(seen, {}),
          );
        },
        { sessions: new Set() },
      ),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await sink.done;
    await vi.waitFor(() => expect(server.of("POST")).toHaveLength(2));
    const answers = server.of("POST").toSorted((one) => (one.message["id"] === "a" ? -1 : 1));
    expect(answers[0]?.message).toMatchObject({ id: "a", error: { code: -32_601 } });
    expect(answers[1]?.message).toEqual({ jsonrpc: "2.0", id: "b", result: {} });
    expect(answers[0]?.headers["mcp-session-id"]).toBe("session-2");
  });

  test("a change of the tools that comes with an answer is reported", async () => {
    const changed: JsonObject = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
    const server = await upstream(legacy((seen, res) => stream(res, changed, result(seen, {}))));
    const { link, changes } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await sink.done;
    expect(changes.count).toBe(1);
    expect(sink.notifications).toEqual([]);
  });
});

describe("a legacy client and a modern upstream", () => {
  test("the request gains the metadata of the modern era, the result loses its type", async () => {
    const server = await upstream(
      modern((seen, res) => json(res, 200, result(seen, { resultType: "complete", content: [] }))),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER, 3), sink);
    await sink.done;
    expect(sink.response).toEqual({ jsonrpc: "2.0", id: 3, result: { content: [] } });
    const [seen] = server.of("tools/call");
    const params = seen?.message["params"] as JsonObject;
    expect(params["_meta"]).toEqual({
      [META.protocolVersion]: "2026-07-28",
      [META.clientInfo]: { name: "old-client", version: "3" },
      [META.clientCapabilities]: {},
    });
    expect(seen?.headers).toMatchObject({ "mcp-protocol-version": "2026-07-28", "mcp-name": "echo" });
  });

  test("a result that asks for input becomes an error, because the client cannot be asked so", async () => {
    const server = await upstream(
      modern((seen, res) => json(res, 200, result(seen, { resultType: "input_required" }))),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER, 3), sink);
    await sink.done;
    expect(sink.response).toMatchObject({ id: 3, error: { code: -32_603 } });
  });

  test("an error keeps its code and data; a missing mirrored header means that the tools have changed", async () => {
    const server = await upstream(
      modern((seen, res) => json(res, 400, failure(seen, -32_020, "no Mcp-Param-Region", { d: 1 }))),
    );
    const { link, changes } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER, 3), sink);
    await sink.done;
    expect(sink.response).toEqual({
      jsonrpc: "2.0",
      id: 3,
      error: { code: -32_020, message: "no Mcp-Param-Region", data: { d: 1 } },
    });
    expect(changes.count).toBe(1);
  });

  test("an upstream that keeps its event stream open after the answer is left after a moment", async () => {
    const time = new ManualTime();
    const server = await upstream(modern((seen, res) => openStream(res)(result(seen, { content: [] }))));
    const { link } = await openLink(server.url, { time });
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER), sink);
    await sink.done;
    expect(server.of("tools/call")[0]?.aborted).toBe(false);
    await time.advance(1_000);
    await vi.waitFor(() => expect(server.of("tools/call")[0]?.aborted).toBe(true));
    expect(sink.endings).toEqual(["respond"]);
    expect(time.pending).toBe(0);
  });

  test("an event stream that ends after its answer leaves its connection for the next call", async () => {
    const server = await upstream(modern((seen, res) => stream(res, result(seen, { content: [] }))));
    const { link } = await openLink(server.url);
    for (let call = 0; call < 5; call += 1) {
      const sink = new RecordingSink();
      link.send(toolCall(LEGACY_CALLER, call), sink);
      await sink.done;
    }
    // One for the handshake; and the next call may begin a moment before the stream of the one before it has ended.
    expect(server.connections).toBeLessThanOrEqual(3);
  });

  test.each([
    ["what is not JSON", "application/json", "<oops>", 'not JSON (upstream text: "<oops>")'],
    ["what is no message", "application/json", "[1]", "no MCP message"],
    [
      "an answer to another request",
      "application/json",
      '{"jsonrpc":"2.0","id":"other","result":{}}',
      "another request",
    ],
    ["nothing", "text/event-stream", ": bye\n\n", "without an answer"],
    ["events that are not JSON", "text/event-stream", "data: {\n\n", "not JSON"],
  ])("makes an error of ours of %s", async (_, type, body, text) => {
    const server = await upstream(modern((__, res) => void res.writeHead(200, { "content-type": type }).end(body)));
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER), sink);
    await sink.done;
    expect(sink.endings).toEqual(["fail"]);
    expect(sink.error?.code).toBe("UPSTREAM_PROTOCOL");
    expect(sink.error?.message).toContain(text);
  });

  test("batches of 2025-03-26, priming events and events of other types are read past", async () => {
    const server = await upstream(
      modern((seen, res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write("id: 1\ndata:\n\nevent: other\ndata: {\n\n");
        res.end(`data: ${JSON.stringify([result(seen, { content: [] })])}\n\n`);
      }),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER), sink);
    await sink.done;
    expect(sink.endings).toEqual(["respond"]);
  });
});
