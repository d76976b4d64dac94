import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test, vi } from "vitest";
import { failOnLeaks } from "../../__tests__/support/gateway.js";
import { send } from "../../__tests__/support/http.js";
import { EventClient } from "./event-client.js";
import {
  ANSWER,
  called,
  COMPLETE_MS,
  KEEP_MS,
  note,
  PRIMED,
  said,
  UNPRIMED,
  type SinkOptions,
} from "./resumed-set-up.js";
import { startSink } from "./sink-set-up.js";

failOnLeaks();

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

  test("when the client is away already, its return is told as well", async () => {
    const { client, own, cut, back } = await called(1);
    await cut();
    let asked = 0;
    own.pollLater(4_000, () => (asked += 1));
    const again = back(client.lastId);
    await again.until(() => again.events.length === 1);
    expect([asked, again.isOver]).toEqual([1, false]);
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
  ])("but not %s", async (_who, options: SinkOptions) => {
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

  test("an upstream that answers with JSON after that has its answer brought as one event", async () => {
    const { port, sink, time } = await startSink(() => {}, limited);
    const client = new EventClient(port);
    const own = await sink();
    await time.advance(500);
    await client.untilOver();
    own.start(200, { "content-type": "application/json", "content-length": "41" });
    own.write(Buffer.from('{"jsonrpc":"2.0",\r\n"id":"id-1",'));
    own.write(Buffer.from('"result":{}}\n'));
    own.end();
    const again = await new EventClient(port, client.lastId).untilOver();
    expect(again.data).toEqual(['{"jsonrpc":"2.0", "id":"id-1","result":{}}']);
    await time.advance(COMPLETE_MS);
    expect(time.pending).toBe(0);
  });

  test("a result whose bytes are ready is an event then, too", async () => {
    const { port, sink, time } = await startSink(() => {}, limited);
    const client = new EventClient(port, undefined, "POST", {
      headers: { accept: "application/json, text/event-stream" },
    });
    const own = await sink();
    await time.advance(500);
    await client.untilOver();
    own.sendResult("id-1", [Buffer.from('{"tools":'), Buffer.from("[]}")]);
    const again = await new EventClient(port, client.lastId).untilOver();
    expect(again.data).toEqual(['{"jsonrpc":"2.0","id":"id-1","result":{"tools":[]}}']);
  });

  test("half an answer in JSON is an error then, and no half an event", async () => {
    const { port, sink, time, exchange } = await startSink(() => {}, limited);
    const client = new EventClient(port);
    const own = await sink();
    await time.advance(500);
    await client.untilOver();
    own.start(200, { "content-type": "application/json" });
    own.write(Buffer.from('{"jsonrpc":'));
    own.abort(new GatewayError("UPSTREAM_UNAVAILABLE", "a is down: gone"));
    const again = await new EventClient(port, client.lastId).untilOver();
    expect(again.data.map((data): unknown => JSON.parse(data))).toMatchObject([
      { id: "id-1", error: { code: -31_001, message: "a is down: gone" } },
    ]);
    expect(exchange.cancelled).toEqual([]);
  });

  test("a connection that broke before counts no more: the next one has the whole time", async () => {
    const { client, own, back, time } = await called(1, limited);
    await time.advance(400);
    client.close();
    await vi.waitFor(() => expect(time.delays).toContain(KEEP_MS));
    const again = back(client.lastId);
    await again.until(() => again.events.length === 1);
    await time.advance(499);
    own.respond(ANSWER);
    await again.untilOver();
    expect(again.data).toEqual([JSON.stringify(ANSWER)]);
  });

  test("an answer within that time is what it would have been, and leaves no timer", async () => {
    const { port, time } = await startSink((own) => own.respond(ANSWER), limited);
    const reply = await send({ port, method: "POST" });
    expect([reply.headers["content-type"], time.pending]).toEqual(["application/json", 0]);
  });
});
