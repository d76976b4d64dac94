import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { failOnLeaks } from "../../__tests__/support/gateway.js";
import { startServer } from "../../__tests__/support/http.js";
import { DEFAULT_EVENT_LOG_LIMITS } from "../event-log.js";
import type { HttpSink } from "../http-sink.js";
import { KeepAlive } from "../keep-alive.js";
import { EventClient } from "./event-client.js";
import { event, KEEP_MS, PRIMED, SSE, type SinkOptions } from "./resumed-set-up.js";
import { sessionStreams, startSink, type TestExchange } from "./sink-set-up.js";

failOnLeaks();

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

describe("what is held for a client that may come back", () => {
  const BYTES = 1_000;
  /** A stream may hold three such events, a session five. */
  const COST = BYTES + 1_024;
  const limits = { ...DEFAULT_EVENT_LOG_LIMITS, streamBytes: 3 * COST, sessionBytes: 5 * COST };
  const small = { ...PRIMED, streams: { limits } } as const;
  /** That a call goes on without a connection costs 8 KiB. */
  const roomy = { ...PRIMED, streams: { limits: { ...limits, sessionBytes: 5 * COST + 8 * 1_024 } } } as const;
  const filled = (n: number): Buffer => event(String(n).padEnd(BYTES - "data: \n\n".length, "."));
  const numbers = (client: EventClient): number[] => client.data.map((data) => Number.parseInt(data, 10));

  /** A stream on which `count` events were passed on. */
  async function passed(count: number, options: SinkOptions = small) {
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
    const { client, own, exchange, time, doneTimes, port } = await passed(2, roomy);
    client.close();
    await vi.waitFor(() => expect(time.delays).toContain(KEEP_MS));
    for (const n of [3, 4, 5]) expect(own.write(filled(n))).toBe(true);
    expect(exchange.cancelled).toEqual([]);
    expect(own.write(filled(6))).toBe(true);
    expect(exchange.cancelled).toEqual(["the client left more unread than is kept for it"]);
    expect([doneTimes(), time.pending]).toEqual([1, 0]);
    expect((await new EventClient(port, client.lastId).untilOver()).status).toBe(400);
  });

  test("is not many calls without a connection: one more than fits has cancelled at once, and one that ends makes room", async () => {
    const { client, own, exchange, time, port, doneTimes } = await passed(1, roomy);
    client.close();
    await vi.waitFor(() => expect(time.delays).toContain(KEEP_MS));
    const second = await new EventClient(port).untilData(1);
    second.close();
    await vi.waitFor(() => expect(exchange.cancelled).toEqual(["too many calls wait for clients that are away"]));
    own.end();
    const third = await new EventClient(port).untilData(1);
    third.close();
    await vi.waitFor(() => expect(time.delays.filter((ms) => ms === KEEP_MS)).toHaveLength(2));
    expect([exchange.cancelled.length, doneTimes()]).toEqual([1, 2]);
  });

  test("one event that is larger than the bound reaches a client that reads, and ends what it could come back to", async () => {
    const set = await startSink((sink) => {
      sink.start(200, SSE);
      sink.write(filled(1));
      sink.write(event("2".repeat(6 * BYTES)));
      sink.write(filled(3));
    }, small);
    const client = await new EventClient(set.port).untilData(3);
    const ids = client.events.map(({ id }) => id ?? "");
    expect((await new EventClient(set.port, ids[1]).untilOver()).status).toBe(400);
    expect(numbers(await new EventClient(set.port, ids[2]).untilData(1))).toEqual([3]);
  });

  test("is what was said and not what was asked: a complete stream lets go of its call", async () => {
    const time = new ManualTime();
    const { streams } = sessionStreams(time, { keepAlive: new KeepAlive(time), slowReaderMs: 30_000 }, "2025-11-25");
    const owners: WeakRef<object>[] = [];
    const { port } = await startServer((_, response) => {
      const owner = { resume: () => {}, giveUp: () => {} };
      owners.push(new WeakRef(owner));
      const stream = streams.begin(response, owner);
      stream.send({ jsonrpc: "2.0", method: "n" });
      stream.end();
    });
    const client = await new EventClient(port).untilOver();
    collectGarbage();
    expect(owners.map((owner) => owner.deref())).toEqual([undefined]);
    expect(streams.resume(client.events[0]?.id ?? "", new ServerResponse(new IncomingMessage(new Socket())))).toBe(
      "resumed",
    );
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
