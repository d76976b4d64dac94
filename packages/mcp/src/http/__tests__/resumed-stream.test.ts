import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test, vi } from "vitest";
import { failOnLeaks } from "../../__tests__/support/gateway.js";
import { send } from "../../__tests__/support/http.js";
import { DEFAULT_EVENT_LOG_LIMITS } from "../event-log.js";
import type { HttpSink } from "../http-sink.js";
import { EventClient } from "./event-client.js";
import { startSink, type TestExchange } from "./sink-set-up.js";

failOnLeaks();

const PRIMED = { era: "legacy", revision: "2025-11-25" } as const;
const UNPRIMED = { era: "legacy", revision: "2025-06-18" } as const;
const SSE = { "content-type": "text/event-stream" };
const ANSWER = { jsonrpc: "2.0", id: "id-1", result: { done: true } } as const;
const KEEP_MS = 60_000;
const COMPLETE_MS = 10_000;

const note = (n: number) => ({ jsonrpc: "2.0", method: "n", params: { n } }) as const;
const said = (...ns: number[]): string[] => ns.map((n) => JSON.stringify(note(n)));
const event = (text: string): Buffer => Buffer.from(`data: ${text}\n\n`);

type Options = Parameters<typeof startSink>[1];

/** A call that has told `count` things; its client, and what happens to it. */
async function called(count: number, options: Options = PRIMED) {
  const set = await startSink((sink) => {
    for (let n = 1; n <= count; n += 1) sink.notify(note(n));
  }, options);
  const client = new EventClient(set.port);
  const sink = await set.sink();
  await client.untilData(count);
  /** The client's connection breaks, and the gateway notices. */
  const cut = async (which: EventClient = client): Promise<void> => {
    const before = set.time.delays.filter((ms) => ms > 15_000).length;
    which.close();
    await vi.waitFor(() => expect(set.time.delays.filter((ms) => ms > 15_000).length).toBeGreaterThan(before));
  };
  const back = (id: string): EventClient => new EventClient(set.port, id);
  return { ...set, client, own: sink, cut, back };
}

describe("an event stream of a client with a session (2025-11-25, Resumability and Redelivery)", () => {
  test("begins with an event that has an id, how long to wait, and no data, for clients of 2025-11-25", async () => {
    const { client, own, time } = await called(1);
    own.respond(ANSWER);
    await client.untilOver();
    const word = client.lastId.split(".")[0] ?? "";
    expect(word).toMatch(/^[\w-]{16}$/);
    expect(client.text).toBe(
      `id: ${word}.1.0\nretry: 1000\ndata: \n\n` +
        `id: ${word}.1.1\nevent: message\ndata: ${said(1)[0]}\n\n` +
        `id: ${word}.1.2\nevent: message\ndata: ${JSON.stringify(ANSWER)}\n\n`,
    );
    await time.advance(COMPLETE_MS);
    expect(time.pending).toBe(0);
  });

  test.each(["2025-06-18", "2025-03-26", "2024-11-05"])(
    "has ids and no empty event for clients of %s",
    async (revision) => {
      const { client } = await called(1, { era: "legacy", revision });
      expect(client.events.map(({ id, data }) => [id?.slice(17), data])).toEqual([["1.1", said(1)[0]]]);
    },
  );

  test("goes on where its client was when the connection broke, and the call goes on meanwhile", async () => {
    const { client, own, cut, back, exchange, time, doneTimes } = await called(2);
    await cut();
    own.notify(note(3));
    const again = await back(client.lastId).untilData(1);
    expect(again.headers["content-type"]).toBe("text/event-stream");
    own.notify(note(4));
    own.respond(ANSWER);
    await again.untilOver();
    expect(again.isWhole).toBe(true);
    expect(again.data).toEqual([...said(3, 4), JSON.stringify(ANSWER)]);
    // It begins where the client is: one that breaks again before anything came must not lose its place.
    expect(again.events[0]).toEqual({ id: client.lastId, retry: 1_000, data: "" });
    expect([exchange.cancelled, doneTimes()]).toEqual([[], 1]);
    await time.advance(COMPLETE_MS);
    expect(time.pending).toBe(0);
  });

  test("says again what was written and may not have arrived", async () => {
    const { client, own, cut, back } = await called(3);
    const [, first] = client.events;
    await cut();
    own.respond(ANSWER);
    const again = await back(first?.id ?? "").untilOver();
    expect(again.data).toEqual([...said(2, 3), JSON.stringify(ANSWER)]);
  });

  test("passes the upstream's events on with ids, each before its event, its comments as they are", async () => {
    const set = await startSink((sink) => {
      sink.start(200, { ...SSE, "cache-control": "no-store" });
      sink.write(Buffer.from("\uFEFFevent: message\ndata: a\n\n"));
      sink.write(Buffer.from(": a comment\n"));
      sink.write(Buffer.from("data: b\r\r"));
      sink.write(Buffer.from("\n"));
      sink.write(Buffer.concat([Buffer.from("data: "), Buffer.alloc(32_000, "c"), Buffer.from("\n\n")]));
      sink.end();
    }, UNPRIMED);
    const client = await new EventClient(set.port).untilOver();
    const word = client.text.slice(4, 20);
    expect(client.text).toBe(
      `id: ${word}.1.1\nevent: message\ndata: a\n\n: a comment\nid: ${word}.1.2\ndata: b\r\r\n\nid: ${word}.1.3\ndata: ${"c".repeat(32_000)}\n\n`,
    );
    const again = await new EventClient(set.port, `${word}.1.1`).untilOver();
    expect(again.text).toBe(`id: ${word}.1.2\ndata: b\r\r\nid: ${word}.1.3\ndata: ${"c".repeat(32_000)}\n\n`);
  });

  test("a plain JSON answer stays one, and a client that went away before it began has cancelled, as there is no stream to come back to", async () => {
    const set = await startSink(() => {}, PRIMED);
    const client = new EventClient(set.port);
    await set.sink();
    client.close();
    await vi.waitFor(() => expect(set.exchange.cancelled).toEqual(["the client disconnected"]));
    expect(set.time.pending).toBe(0);
    const json = await startSink((sink) => {
      sink.start(200, { "content-type": "application/json" });
      sink.write(Buffer.from("{}"));
      sink.end();
    }, PRIMED);
    expect(await send({ port: json.port, method: "POST" })).toMatchObject({ status: 200, text: "{}" });
  });

  test("a client that knows no empty events and was told nothing yet has nothing to come back with: its call is cancelled", async () => {
    const set = await startSink((sink) => {
      sink.start(200, SSE);
      sink.write(Buffer.from(": hello\n\n"));
    }, UNPRIMED);
    const client = new EventClient(set.port);
    await client.until(() => client.text.includes("hello"));
    client.close();
    await vi.waitFor(() => expect(set.exchange.cancelled).toEqual(["the client disconnected"]));
    expect([set.time.pending, set.doneTimes()]).toEqual([0, 1]);
  });

  test("a client that does not come back within keepMs has cancelled", async () => {
    const { client, cut, back, exchange, time, doneTimes } = await called(1);
    await cut();
    await time.advance(KEEP_MS - 1);
    expect(exchange.cancelled).toEqual([]);
    await time.advance(1);
    expect([exchange.cancelled, doneTimes(), time.pending]).toEqual([["the client disconnected"], 1, 0]);
    expect((await back(client.lastId).untilOver()).status).toBe(400);
  });

  test("one that comes back and goes again has the whole time again", async () => {
    const { client, cut, back, exchange, time } = await called(1);
    await cut();
    await time.advance(KEEP_MS - 1);
    const again = back(client.lastId);
    await again.until(() => again.events.length === 1);
    await cut(again);
    await time.advance(KEEP_MS - 1);
    expect(exchange.cancelled).toEqual([]);
    await time.advance(1);
    expect(exchange.cancelled).toEqual(["the client disconnected"]);
  });

  test("a client that comes back before we know that it left takes its stream over", async () => {
    const { client, own, back } = await called(1);
    const again = back(client.lastId);
    await again.until(() => again.events.length === 1);
    await client.untilOver();
    own.notify(note(2));
    own.respond(ANSWER);
    await again.untilOver();
    expect(again.data).toEqual([said(2)[0], JSON.stringify(ANSWER)]);
    expect(client.data).toEqual(said(1));
  });

  test("an answer that was given is kept for a moment: its end may have been lost on the way", async () => {
    const { client, own, back, time } = await called(1);
    own.respond(ANSWER);
    await client.untilOver();
    const { id } = client.events[1] ?? {};
    await vi.waitFor(() => expect(time.delays).toEqual([COMPLETE_MS]));
    expect((await back(id ?? "").untilOver()).data).toEqual([JSON.stringify(ANSWER)]);
    // Where nothing follows, there is no stream: some clients ask again after an error, and are content with that.
    expect(await back(client.lastId).untilOver()).toMatchObject({ status: 405, headers: { allow: "POST, DELETE" } });
    await vi.waitFor(() => expect(time.delays).toEqual([COMPLETE_MS]));
    await time.advance(COMPLETE_MS);
    expect((await back(id ?? "").untilOver()).status).toBe(400);
    expect(time.pending).toBe(0);
  });

  test("an answer that was given while the client was away waits for it", async () => {
    const { client, own, cut, back, doneTimes } = await called(1);
    await cut();
    own.fail(new GatewayError("UPSTREAM_UNAVAILABLE", "gone"));
    expect(doneTimes()).toBe(1);
    const again = await back(client.lastId).untilOver();
    expect(again.data.map((data) => JSON.parse(data))).toMatchObject([{ id: "id-1", error: { code: -31_001 } }]);
  });

  test("a cancel by message ends it while the client is away", async () => {
    const { client, own, cut, back, exchange, doneTimes } = await called(1);
    await cut();
    own.cancel("enough");
    own.notify(note(2));
    expect([exchange.cancelled, doneTimes()]).toEqual([["enough"], 1]);
    expect((await back(client.lastId).untilOver()).status).toBe(405);
  });

  test("a shutdown answers a client that is away, in case it comes back", async () => {
    const { client, own, cut, back, exchange } = await called(1);
    await cut();
    own.shutDown(new GatewayError("UPSTREAM_UNAVAILABLE", "the gateway is shutting down"));
    expect(exchange.cancelled).toEqual(["the gateway is shutting down"]);
    expect((await back(client.lastId).untilOver()).data[0]).toContain("shutting down");
  });

  test.each([
    ["of nothing", "x"],
    ["of a stream that never was", (id: string) => id.replace(/\d+\.\d+$/, "77.1")],
    ["of a position that never was", (id: string) => id.replace(/\d+$/, "77")],
    ["of another session", (id: string) => `${"A".repeat(16)}${id.slice(16)}`],
    ["that is too long", (id: string) => `${id}${"0".repeat(64)}`],
  ])("an id %s is refused with 400, and what is under way is left alone", async (_what, idOf) => {
    const { client, own, back } = await called(1);
    const id = typeof idOf === "string" ? idOf : idOf(client.lastId);
    const refused = await back(id).untilOver();
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text)).toMatchObject({ error: { message: expect.stringContaining("Last-Event-ID") } });
    own.respond(ANSWER);
    await client.untilOver();
    expect(client.data).toHaveLength(2);
  });

  test("the end of the session forgets all of its streams", async () => {
    const { client, own, cut, back, session, time } = await called(1);
    await cut();
    own.respond(ANSWER);
    session?.end("over");
    expect(time.pending).toBe(0);
    expect((await back(client.lastId).untilOver()).status).toBe(400);
  });
});

describe("what is held for a client that may come back", () => {
  const BYTES = 1_000;
  /** A stream may hold three such events, a session five. */
  const limits = { ...DEFAULT_EVENT_LOG_LIMITS, streamBytes: 3 * (BYTES + 128), sessionBytes: 5 * (BYTES + 128) };
  const small = { ...PRIMED, streams: { limits } } as const;
  const filled = (n: number): Buffer => event(String(n).padEnd(BYTES - "data: \n\n".length, "."));
  const numbers = (client: EventClient): number[] => client.data.map((data) => Number.parseInt(data, 10));

  /** A stream on which `count` events were passed on. */
  async function passed(count: number, options: Options = small) {
    const set = await startSink((sink) => {
      sink.start(200, SSE);
      for (let n = 1; n <= count; n += 1) sink.write(filled(n));
    }, options);
    const client = await new EventClient(set.port).untilData(count);
    return { ...set, client, own: await set.sink() };
  }

  test("is the newest of it: who missed more is refused rather than told half", async () => {
    const { client, port } = await passed(5);
    const ids = client.events.map(({ id }) => id ?? "");
    expect((await new EventClient(port, ids[1]).untilOver()).status).toBe(400);
    const again = await new EventClient(port, ids[2]).untilData(3);
    expect(numbers(again)).toEqual([3, 4, 5]);
  });

  test("is all that comes while the client is away; more than that, and the call is given up", async () => {
    const { client, own, exchange, time, doneTimes, port } = await passed(2);
    client.close();
    await vi.waitFor(() => expect(time.delays).toContain(KEEP_MS));
    for (const n of [3, 4, 5]) expect(own.write(filled(n))).toBe(true);
    expect(exchange.cancelled).toEqual([]);
    expect(own.write(filled(6))).toBe(true);
    expect(exchange.cancelled).toEqual(["the client left more unread than is kept for it"]);
    expect([doneTimes(), time.pending]).toEqual([1, 0]);
    expect((await new EventClient(port, client.lastId).untilOver()).status).toBe(400);
  });

  test("one event that is larger than the bound reaches a client that reads, and ends what it could come back to", async () => {
    const set = await startSink((sink) => {
      sink.start(200, SSE);
      sink.write(filled(1));
      sink.write(event("2".repeat(4 * BYTES)));
      sink.write(filled(3));
    }, small);
    const client = await new EventClient(set.port).untilData(3);
    const ids = client.events.map(({ id }) => id ?? "");
    expect((await new EventClient(set.port, ids[1]).untilOver()).status).toBe(400);
    expect(numbers(await new EventClient(set.port, ids[2]).untilData(1))).toEqual([3]);
  });

  test("complete streams make room for those that go on, the oldest first", async () => {
    const ends: (() => void)[] = [];
    const set = await startSink((sink) => {
      sink.start(200, SSE);
      sink.write(filled(1));
      sink.write(filled(2));
      ends.push(() => sink.end());
    }, small);
    const clients: EventClient[] = [];
    for (let at = 0; at < 3; at += 1) {
      const client = await new EventClient(set.port).untilData(2);
      clients.push(client);
      if (at < 2) {
        ends[at]?.();
        await client.untilOver();
      }
    }
    // Six events are one more than the session may hold: the first stream went, with both of its own.
    const back = clients.map((client) => new EventClient(set.port, client.events[0]?.id));
    await back[0]?.untilOver();
    await Promise.all(back.slice(1).map((client) => client.untilData(2)));
    expect(back.map(({ status }) => status)).toEqual([400, 200, 200]);
  });
});

describe("a reader of such a stream that is slow", () => {
  const CHUNK = event("x".repeat(64 * 1024));

  test("holds its upstream back, and is cut off after the time it is given; then the upstream goes on without it", async () => {
    let isMoving = false;
    const set = await startSink((sink, exchange) => {
      exchange.onResume = () => {
        isMoving = true;
        while (sink.write(CHUNK));
      };
      sink.start(200, SSE);
      exchange.resume();
    }, PRIMED);
    const { exchange, time, sink, port } = set;
    const client = new EventClient(port);
    await client.until(() => client.status === 200);
    client.pause();
    // What the kernel's buffers take is gone from us; after that nothing more is asked of the upstream.
    await vi.waitFor(
      () => {
        const wasMoving = isMoving;
        isMoving = false;
        if (wasMoving) throw new Error("still moving");
      },
      { interval: 200 },
    );
    const own = await sink();
    const resumed = exchange.resumed;
    expect(own.write(CHUNK)).toBe(false);
    expect(time.delays).toContain(30_000);
    exchange.onResume = () => {};
    await time.advance(30_000);
    await vi.waitFor(() => expect(time.delays).toEqual([KEEP_MS]));
    expect([exchange.resumed - resumed, exchange.cancelled]).toEqual([1, []]);
    expect(own.write(CHUNK)).toBe(true);
    client.close();
    await time.advance(KEEP_MS);
    expect([exchange.cancelled, time.pending]).toEqual([["the client disconnected"], 0]);
  });

  test("gets all of it once it reads: every wait is followed by one resume", async () => {
    const total = 300;
    let sent = 0;
    const pump = (sink: HttpSink, exchange: TestExchange): void => {
      exchange.onResume = () => {
        while (sent < total) {
          sent += 1;
          if (!sink.write(CHUNK)) return;
        }
        sink.end();
      };
      sink.start(200, SSE);
      exchange.resume();
    };
    const { port, exchange } = await startSink(pump, PRIMED);
    const client = await new EventClient(port).untilOver();
    expect(client.data).toHaveLength(total);
    expect(exchange.resumed).toBeGreaterThan(1);
  });
});

describe("a client of 2025-11-25 may be sent away and asked to come back (SEP-1699)", () => {
  test("when the upstream wants to be polled: its wait is the client's, and the client's return is told at once", async () => {
    const { client, own, back, exchange, time } = await called(1);
    let asked = 0;
    own.pollLater(4_000, () => (asked += 1));
    await client.untilOver();
    expect(client.isWhole).toBe(true);
    expect(client.events.at(-1)).toEqual({ id: client.events[1]?.id, retry: 4_000, data: "" });
    await vi.waitFor(() => expect(time.delays).toEqual([KEEP_MS + 4_000]));
    own.notify(note(2));
    const again = await back(client.lastId).untilData(1);
    expect([asked, again.data, exchange.cancelled]).toEqual([1, said(2), []]);
    own.respond(ANSWER);
    await again.untilOver();
    expect(again.data).toHaveLength(2);
    await time.advance(COMPLETE_MS);
    expect([asked, time.pending]).toEqual([1, 0]);
  });

  test("also before anything was said: the answer becomes a stream for that", async () => {
    const { port, sink } = await startSink((own) => own.pollLater(500, () => {}), PRIMED);
    const client = await new EventClient(port).untilOver();
    expect(client.events.map(({ retry, data }) => [retry, data])).toEqual([
      [1_000, ""],
      [500, ""],
    ]);
    (await sink()).respond(ANSWER);
    expect((await new EventClient(port, client.lastId).untilOver()).data).toEqual([JSON.stringify(ANSWER)]);
  });

  test.each([
    ["an older client", UNPRIMED],
    ["a modern client", {}],
    [
      "any client while the gateway drains: nobody would be here to come back to",
      { ...PRIMED, streams: { isAccepting: () => false } },
    ],
  ])("but not %s", async (_who, options: Options) => {
    const { client, own } = await called(1, options);
    own.pollLater(500, () => {});
    own.respond(ANSWER);
    await client.untilOver();
    expect(client.data).toEqual([said(1)[0], JSON.stringify(ANSWER)]);
    expect(client.text).not.toContain("retry: 500");
  });

  test("and not in the middle of a JSON answer", async () => {
    const { port, sink } = await startSink((own) => {
      own.start(200, { "content-type": "application/json" });
      own.write(Buffer.from("{"));
      own.pollLater(500, () => {});
    }, PRIMED);
    const reply = send({ port, method: "POST" });
    const own = await sink();
    own.write(Buffer.from("}"));
    own.end();
    expect((await reply).text).toBe("{}");
  });

  const limited = { ...PRIMED, streams: { policy: { keepMs: KEEP_MS, maxConnectionMs: 500 } } } as const;

  test("when a connection has lasted for maxConnectionMs, be its answer begun or not, and again when it is back", async () => {
    const { port, sink, time, exchange } = await startSink(() => {}, limited);
    const client = new EventClient(port);
    const own = await sink();
    await time.advance(499);
    expect(client.status).toBeUndefined();
    await time.advance(1);
    await client.untilOver();
    expect(client.events.map(({ retry, data }) => [retry, data])).toEqual([
      [1_000, ""],
      [1_000, ""],
    ]);
    const again = new EventClient(port, client.lastId);
    await again.until(() => again.events.length === 1);
    own.notify(note(1));
    await time.advance(500);
    await again.untilOver();
    expect(again.data).toEqual(said(1));
    const third = new EventClient(port, again.lastId);
    await third.until(() => third.events.length === 1);
    own.respond(ANSWER);
    await third.untilOver();
    expect([third.data, exchange.cancelled]).toEqual([[JSON.stringify(ANSWER)], []]);
    await time.advance(COMPLETE_MS);
    expect(time.pending).toBe(0);
  });

  test("an answer within that time is what it would have been, and leaves no timer", async () => {
    const { port, time } = await startSink((own) => own.respond(ANSWER), limited);
    const reply = await send({ port, method: "POST" });
    expect([reply.headers["content-type"], time.pending]).toEqual(["application/json", 0]);
  });
});
