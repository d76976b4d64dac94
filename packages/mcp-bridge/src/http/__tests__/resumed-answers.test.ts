import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { ServerResponse } from "node:http";
import { describe, expect, test, vi } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { json, legacy, modern, openStream, result, upstream, type Script, type Seen } from "./scripted-upstream.js";

const PRIMER = "id: ev1\nretry: 100\ndata: \n\n";

function prime(res: ServerResponse, primer = PRIMER): void {
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.end(primer);
}

const progress = (seen: Seen): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/progress",
  params: { progressToken: (seen.message["params"] as { _meta: JsonObject })._meta["progressToken"], progress: 1 },
});

/** A server that ends the stream of every call after priming the client, and answers when it is asked again. */
async function polling(get: (call: Seen, seen: Seen, res: ServerResponse) => void, primer = PRIMER) {
  const time = new ManualTime();
  let call: Seen | undefined;
  const server = await upstream(
    legacy(
      (seen, res) => {
        call = seen;
        prime(res, primer);
      },
      {
        sessions: new Set(),
        get: (seen, res) => {
          if (call !== undefined) get(call, seen, res);
        },
      },
    ),
  );
  const opened = await openLink(server.url, { time, timeouts: { callMs: 60_000 } });
  const send = (caller: Caller): { sink: RecordingSink; exchange: ReturnType<typeof opened.link.send> } => {
    const sink = new RecordingSink();
    return { sink, exchange: opened.link.send(toolCall(caller, 7, { progressToken: "p" }), sink) };
  };
  const paused = async (delayMs = 100): Promise<void> => {
    await vi.waitFor(() => expect(time.delays).toContain(delayMs));
  };
  return { ...opened, server, time, send, paused };
}

const finish = (call: Seen, _: Seen, res: ServerResponse): void => {
  const send = openStream(res);
  send(progress(call));
  res.write("id: ev2\n");
  send(result(call, { late: true }));
};

describe("servers that end the connection and are asked again (2025-11-25, transports)", () => {
  test("a legacy client gets one answer, without the ids it could not resume from", async () => {
    const { server, time, send, paused } = await polling(finish);
    const { sink } = send(LEGACY_CALLER);
    await paused();
    expect(sink.endings).toEqual([]);
    expect(server.of("GET")).toEqual([]);
    await time.advance(100);
    await sink.done;
    expect(sink.endings).toEqual(["end"]);
    expect(sink.messages).toEqual([
      { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: "p", progress: 1 } },
      { jsonrpc: "2.0", id: 7, result: { late: true } },
    ]);
    expect(sink.text).not.toMatch(/^(?:id|retry)/m);
    const [get] = server.of("GET");
    expect(get?.headers).toMatchObject({
      accept: "text/event-stream",
      "last-event-id": "ev1",
      "mcp-session-id": server.of("tools/call")[0]?.headers["mcp-session-id"],
    });
    await time.advance(1_000);
    await vi.waitFor(() => expect(get?.aborted).toBe(true));
    expect(time.pending).toBe(0);
  });

  test("a modern client gets it as well, its ids and tokens put back", async () => {
    const { time, send, paused } = await polling(finish);
    const { sink } = send(MODERN_CALLER);
    await paused();
    await time.advance(100);
    await sink.done;
    expect(sink.response).toEqual({ jsonrpc: "2.0", id: 7, result: { resultType: "complete", late: true } });
    expect(sink.notifications).toMatchObject([{ params: { progressToken: "p" } }]);
  });

  test("it is asked again and again, from the last id it gave, half an event being forgotten", async () => {
    let asked = 0;
    const { server, time, send, paused } = await polling((call, seen, res) => {
      asked += 1;
      if (asked < 3) prime(res, `id: é${String(asked)}\ndata: \n\ndata: {"jsonrpc":"2.0","id":7,"res`);
      else finish(call, seen, res);
    }, "id: a\nretry: 0\ndata:\n\n");
    const { sink } = send(LEGACY_CALLER);
    await paused(0);
    await time.advance(0);
    for (let again = 0; again < 2; again += 1) {
      await paused(250);
      await time.advance(250);
    }
    await sink.done;
    expect(sink.messages.at(-1)).toMatchObject({ id: 7, result: { late: true } });
    const ids = server.of("GET").map(({ headers }) => Buffer.from(String(headers["last-event-id"]), "latin1"));
    expect(ids.map((id) => id.toString("utf8"))).toEqual(["a", "é1", "é2"]);
    expect(server.of("tools/call")).toHaveLength(1);
  });

  test("a connection that breaks after an event with an id is one that can be resumed", async () => {
    const time = new ManualTime();
    let call: Seen | undefined;
    const server = await upstream(
      legacy(
        (seen, res) => {
          call = seen;
          openStream(res);
          res.write(PRIMER, () => setTimeout(() => res.destroy(), 5));
        },
        { sessions: new Set(), get: (seen, res) => call !== undefined && finish(call, seen, res) },
      ),
    );
    const { link } = await openLink(server.url, { time });
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER, 7, { progressToken: "p" }), sink);
    await vi.waitFor(() => expect(time.delays).toContain(100));
    await time.advance(100);
    await sink.done;
    expect(sink.messages.at(-1)).toMatchObject({ result: { late: true } });
  });

  test.each<[string, Script, RegExp]>([
    ["no stream", (_, res) => void res.writeHead(405).end(), /HTTP 405 without an event stream/],
    ["JSON", (seen, res) => json(res, 200, { seen: seen.http }), /HTTP 200 without an event stream/],
    ["a broken connection", (_, res) => void res.destroy(), /the other side closed the connection/],
  ])("%s instead of the rest: the call fails, for both kinds of clients", async (_, script, why) => {
    for (const caller of [LEGACY_CALLER, MODERN_CALLER]) {
      const { time, send, paused, lost } = await polling((__, seen, res) => script(seen, res));
      const { sink } = send(caller);
      await paused();
      await time.advance(100);
      await sink.done;
      const error = caller === LEGACY_CALLER ? sink.failure : sink.error;
      expect(error?.code).toBe("UPSTREAM_UNAVAILABLE");
      expect(error?.message).toMatch(why);
      expect(error?.message).toContain("may have been carried out");
      expect(lost).toEqual([]);
    }
  });

  test("an upstream that is gone meanwhile is lost; one whose id no header can carry is not", async () => {
    const gone = await polling(() => {});
    const { sink } = gone.send(LEGACY_CALLER);
    await gone.paused();
    await gone.server.stop();
    await gone.time.advance(100);
    await sink.done;
    expect(sink.failure?.message).toMatch(/connection refused|closed the connection/);
    const odd = await polling(() => {}, "id: \u0001\ndata: \n\n");
    const other = odd.send(LEGACY_CALLER);
    await odd.paused(1_000);
    await odd.time.advance(1_000);
    await other.sink.done;
    expect(other.sink.failure?.code).toBe("UPSTREAM_UNAVAILABLE");
    expect(odd.lost).toEqual([]);
  });

  test.each([LEGACY_CALLER, MODERN_CALLER])(
    "the sink hears of it, and may have it asked at once: its reader was sent away and is back",
    async (caller) => {
      const { server, time, send, paused } = await polling(finish);
      const { sink } = send(caller);
      await paused();
      expect(sink.polls.map(({ delayMs }) => delayMs)).toEqual([100]);
      sink.polls[0]?.ask();
      await sink.done;
      expect(server.of("GET")).toHaveLength(1);
      // Asked once is enough, be it by the timer or by a reader that is back again.
      sink.polls[0]?.ask();
      await time.advance(1_100);
      expect([server.of("GET").length, time.pending]).toEqual([1, 0]);
    },
  );

  test("one that brings nothing is not asked any faster than it likes, however fast a reader comes back", async () => {
    let asked = 0;
    const { server, time, send, paused } = await polling((call, seen, res) => {
      asked += 1;
      if (asked === 1) prime(res);
      else finish(call, seen, res);
    });
    const { sink } = send(LEGACY_CALLER);
    await paused();
    sink.polls[0]?.ask();
    await paused(250);
    sink.polls[1]?.ask();
    expect(server.of("GET")).toHaveLength(1);
    await time.advance(250);
    await sink.done;
    expect(server.of("GET")).toHaveLength(2);
  });

  test("a reader is not sent away because a connection broke: the upstream did not ask for that", async () => {
    const time = new ManualTime();
    const server = await upstream(
      legacy(
        (_, res) => {
          openStream(res);
          res.write(PRIMER, () => setTimeout(() => res.destroy(), 5));
        },
        { sessions: new Set() },
      ),
    );
    const { link } = await openLink(server.url, { time });
    const sink = new RecordingSink();
    const exchange = link.send(toolCall(LEGACY_CALLER), sink);
    await vi.waitFor(() => expect(time.delays).toContain(100));
    expect(sink.polls).toEqual([]);
    exchange.cancel();
  });

  test("a session that ended meanwhile cannot be resumed", async () => {
    const { link, time, send, paused, server } = await polling(finish);
    const { sink } = send(LEGACY_CALLER);
    await paused();
    link.endSession("client-1");
    await time.advance(100);
    await sink.done;
    expect(sink.failure?.message).toContain("its session is over");
    expect(server.of("GET")).toEqual([]);
  });

  test("the wait is the call's own: its deadline ends it, and a cancel is told to the upstream", async () => {
    const slow = await polling(() => {}, "id: a\nretry: 99999999\ndata:\n\n");
    const { sink } = slow.send(LEGACY_CALLER);
    await slow.paused(30_000);
    await slow.time.advance(30_000);
    await vi.waitFor(() => expect(slow.server.of("GET")).toHaveLength(1));
    await slow.time.advance(30_000);
    await sink.done;
    expect(sink.failure?.code).toBe("UPSTREAM_TIMEOUT");
    const cancelled = await polling(finish);
    const { sink: silent, exchange } = cancelled.send(LEGACY_CALLER);
    await cancelled.paused();
    exchange.resume();
    exchange.cancel("enough");
    await vi.waitFor(() => expect(cancelled.server.methods).toContain("notifications/cancelled"));
    await vi.waitFor(() => expect(cancelled.time.pending).toBe(0));
    expect(silent.endings).toEqual([]);
    expect(cancelled.server.of("GET")).toEqual([]);
  });

  test("a modern upstream's ids mean nothing (2026-07-28: streams are not resumable)", async () => {
    const server = await upstream(modern((_, res) => prime(res)));
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await sink.done;
    expect(sink.failure?.message).toContain("without an answer");
    expect(server.of("GET")).toEqual([]);
  });
});
