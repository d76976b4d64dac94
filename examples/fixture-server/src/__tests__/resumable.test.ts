import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import type { FixtureHttp, FixtureHttpOptions } from "../http/start-fixture-http.js";
import { json, legacy, openLegacy, openSession, openStream, raw, useFixtureHttp, type LiveStream } from "./support.js";

const start = useFixtureHttp();
const toolCall = (id: number, name: string, args: JsonObject = {}, meta: JsonObject = {}): JsonObject => ({
  id,
  method: "tools/call",
  params: { name, arguments: args, _meta: meta },
});
const RECONNECTION = toolCall(1, "test_reconnection");
const toggled = (id: number): JsonObject => toolCall(id, "toggle", { name: `t${id}`, present: true });
const CHANGED = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };

interface Visit {
  readonly server: FixtureHttp;
  readonly session: Record<string, string>;
  send(message: JsonObject): Promise<unknown>;
  listen(lastEventId?: string): Promise<LiveStream>;
}

async function visit(options: FixtureHttpOptions = {}, revision?: string): Promise<Visit> {
  const server = await start({ resumable: true, ...options });
  const session = await openSession(server.url, revision);
  return {
    server,
    session,
    send: async (message) => legacy(server.url, message, session),
    listen: async (lastEventId) => {
      const headers = { ...session, accept: "text/event-stream" };
      const resuming = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
      return await openStream(server.url, { method: "GET", headers: { ...headers, ...resuming } });
    },
  };
}

describe("resumable streams for clients of 2025-11-25 (R22)", () => {
  test("the first event is empty and says when to come back; every event has an id of its own", async () => {
    const { server, session } = await visit();
    const call = await openLegacy(server.url, session, toolCall(1, "slow", { ms: 2, steps: 2 }, { progressToken: 1 }));
    await call.ended;
    expect(call.text()).toMatch(/^retry: 500\nid: 1-0\ndata: \n\nid: 1-1\nevent: message\ndata: \{/);
    expect(call.ids).toEqual(["1-0", "1-1", "1-2", "1-3"]);
    expect(call.messages).toHaveLength(3);
  });

  test("a call whose connection the server closes is answered where the client comes back", async () => {
    const timers = new ManualTime();
    const { server, session, listen } = await visit({ conformance: true, timers });
    const call = await openLegacy(server.url, session, RECONNECTION);
    expect(await call.ended).toBe(true);
    expect([call.ids, call.messages]).toEqual([["1-0"], []]);
    const again = await listen("1-0");
    await timers.advance(1_000);
    await again.ended;
    expect(again.ids).toEqual(["1-1"]);
    expect(again.messages).toMatchObject([{ id: 1, result: { content: [{ type: "text" }] } }]);
  });

  test("what was sent meanwhile is replayed, from behind the event the client has seen", async () => {
    const { server, session, listen } = await visit();
    const call = await openLegacy(server.url, session, toolCall(1, "slow", { ms: 4, steps: 3 }, { progressToken: 1 }));
    await call.ended;
    for (const [seen, ids] of [
      ["1-0", ["1-1", "1-2", "1-3", "1-4"]],
      ["1-3", ["1-4"]],
      ["1-4", []],
    ] as const) {
      const again = await listen(seen);
      expect(await again.ended).toBe(true);
      expect(again.ids).toEqual(ids);
    }
  });

  test("a client that goes away in the middle loses nothing, and has not cancelled anything", async () => {
    const { server, session, send, listen } = await visit();
    const call = await openLegacy(server.url, session, toolCall(1, "ask", { kind: "roots" }));
    await vi.waitFor(() => {
      expect(call.ids).toEqual(["1-0", "1-1"]);
    });
    call.leave();
    await call.ended;
    await send({ id: 1, result: { roots: [] } });
    const again = await listen("1-1");
    await again.ended;
    expect(again.messages).toMatchObject([{ id: 1, result: { structuredContent: { answer: { roots: [] } } } }]);
    expect(server.calls).toMatchObject({ completed: 1, cancelled: 0 });
  });

  test("the stream a client listens on keeps what comes while the client is away, and only that", async () => {
    const { server, send, listen } = await visit();
    const first = await listen();
    await send(toggled(1));
    await vi.waitFor(() => {
      expect(first.messages).toEqual([CHANGED]);
    });
    first.leave();
    await vi.waitFor(() => {
      expect(server.streams).toBe(0);
    });
    await send(toggled(2));
    await send(toggled(3));
    const again = await listen(first.ids.at(-1));
    await vi.waitFor(() => {
      expect(again.messages).toEqual([CHANGED, CHANGED]);
    });
    await send(toggled(4));
    await vi.waitFor(() => {
      expect(again.ids).toEqual(["1-2", "1-3", "1-4"]);
    });
    expect(server.streams).toBe(1);
    again.leave();
  });

  test("a stream goes on over one connection: the newest", async () => {
    const { listen, send } = await visit();
    const first = await listen();
    await vi.waitFor(() => {
      expect(first.ids).toEqual(["1-0"]);
    });
    const second = await listen("1-0");
    expect(await first.ended).toBe(true);
    await send(toggled(1));
    await vi.waitFor(() => {
      expect(second.messages).toEqual([CHANGED]);
    });
    second.leave();
  });

  test("of several streams the one opened last hears of changes, also when an older one was taken up anew", async () => {
    const { server, listen, send } = await visit();
    const [older, newer] = [await listen(), await listen()];
    await vi.waitFor(() => {
      expect([older.ids, newer.ids]).toEqual([["1-0"], ["2-0"]]);
    });
    const again = await listen("1-0");
    expect(await older.ended).toBe(true);
    await vi.waitFor(() => {
      expect(server.streams).toBe(2);
    });
    await send(toggled(1));
    await vi.waitFor(() => {
      expect(again.messages).toEqual([CHANGED]);
    });
    expect(newer.messages).toEqual([]);
    newer.leave();
    again.leave();
  });

  test.each([["1-9"], ["7-0"], ["x"], [""], ["1--1"]])("Last-Event-ID %j is of no stream: 400", async (lastEventId) => {
    const { server, session, send } = await visit();
    await send(toolCall(1, "slow", { ms: 0 }, { progressToken: 1 }));
    const answer = await raw(server.url, "GET", { ...session, "last-event-id": lastEventId });
    expect([answer.status, json(answer)["error"]]).toMatchObject([400, { code: -32_600 }]);
  });

  test("of the streams nobody comes back for the newest are kept", async () => {
    const { send, listen, server, session } = await visit();
    for (let id = 1; id <= 18; id += 1) await send(toolCall(id, "slow", { ms: 0 }, { progressToken: id }));
    const gone = await raw(server.url, "GET", { ...session, "last-event-id": "2-0" });
    expect(gone.status).toBe(400);
    const kept = await listen("3-0");
    await kept.ended;
    expect(kept.messages.at(-1)).toMatchObject({ id: 3 });
  });

  test("of a stream that grows too long the end is kept, and what is lost is not passed over", async () => {
    const { server, session, send, listen } = await visit({ maxBodyBytes: 16 * 1024 * 1024 });
    const params = { message: "x".repeat(5 * 1024 * 1024), requestedSchema: {} };
    const call = await openLegacy(
      server.url,
      session,
      toolCall(1, "ask", { kind: "elicitation", params, force: true }),
    );
    await vi.waitFor(() => {
      expect(call.ids).toEqual(["1-0", "1-1"]);
    });
    await send({ id: 1, result: { action: "accept", content: { text: "y".repeat(3 * 1024 * 1024) } } });
    await call.ended;
    expect((await raw(server.url, "GET", { ...session, "last-event-id": "1-0" })).status).toBe(400);
    const again = await listen("1-1");
    await again.ended;
    expect(again.ids).toEqual(["1-2"]);
  });

  test("the end of the session ends its streams", async () => {
    const { server, session, listen } = await visit();
    const stream = await listen();
    const call = await openLegacy(server.url, session, toolCall(1, "ask", { kind: "roots" }));
    expect((await raw(server.url, "DELETE", session)).status).toBe(200);
    await Promise.all([stream.ended, call.ended]);
    expect([server.streams, server.calls.inFlight]).toEqual([0, 0]);
  });

  test.each([["2024-11-05"], ["2025-03-26"], ["2025-06-18"]])(
    "a client of %s keeps its connection, and gets events without ids",
    async (revision) => {
      const timers = new ManualTime();
      const { server, session } = await visit({ conformance: true, timers }, revision);
      const call = legacy(server.url, RECONNECTION, session);
      await vi.waitFor(() => {
        expect(server.calls.inFlight).toBe(1);
      });
      await timers.advance(1_000);
      expect(json(await call)).toMatchObject({ id: 1, result: {} });
      const asking = await openLegacy(server.url, session, toolCall(2, "ask", { kind: "roots" }));
      await vi.waitFor(() => {
        expect(asking.messages).toHaveLength(1);
      });
      expect(asking.text()).toMatch(/^event: message\n/);
      asking.leave();
    },
  );

  test("without the option nothing has an id", async () => {
    const { server, session } = await visit({ resumable: false });
    const call = await openLegacy(server.url, session, toolCall(1, "slow", { ms: 0 }, { progressToken: 1 }));
    await call.ended;
    expect(call.ids).toEqual([]);
    const get = await openStream(server.url, { method: "GET", headers: { ...session, "last-event-id": "1-0" } });
    expect(get.status).toBe(200);
    get.leave();
  });
});
