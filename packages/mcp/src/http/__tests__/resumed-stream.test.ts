import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test, vi } from "vitest";
import { failOnLeaks } from "../../__tests__/support/gateway.js";
import { send } from "../../__tests__/support/http.js";
import { DEFAULT_EVENT_LOG_LIMITS } from "../event-log.js";
import { EventClient } from "./event-client.js";
import { ANSWER, called, COMPLETE_MS, event, KEEP_MS, note, PRIMED, said, SSE, UNPRIMED } from "./resumed-set-up.js";
import { startSink } from "./sink-set-up.js";

failOnLeaks();

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

  test("that is taken over while its reader is behind goes on: nobody waits for the connection that is gone", async () => {
    const BYTES = 32 * 1024 * 1024;
    const limits = { ...DEFAULT_EVENT_LOG_LIMITS, streamBytes: 2 * BYTES, sessionBytes: 2 * BYTES };
    const { client, own, back, exchange } = await called(1, { ...PRIMED, streams: { limits } });
    client.pause();
    own.start(200, SSE);
    // More than the buffers on the way take: this connection does not catch up.
    expect(own.write(event("x".repeat(BYTES)))).toBe(false);
    const again = back(client.lastId);
    await again.until(() => again.status !== undefined);
    expect([again.status, exchange.resumed]).toEqual([200, 1]);
  });

  test("brings a question of the upstream's that was asked meanwhile: it is an event like others", async () => {
    const { client, own, cut, back } = await called(1);
    await cut();
    const question = { jsonrpc: "2.0", id: "q", method: "roots/list" } as const;
    expect(own.tell(question)).toBe(true);
    const again = await back(client.lastId).untilData(1);
    expect(again.data).toEqual([JSON.stringify(question)]);
    own.respond(ANSWER);
    await again.untilOver();
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
