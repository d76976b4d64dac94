import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { RawConnection, send, type Reply } from "../../__tests__/support/http.js";
import { ASK, PROGRESS, startSink } from "./sink-set-up.js";

const ERROR = new GatewayError("UPSTREAM_UNAVAILABLE", "a is down: gone");
const json = ({ text }: Reply): unknown => JSON.parse(text);
const eventsOf = (text: string): unknown[] =>
  [...text.matchAll(/^data: (?<data>.*)$/gm)].map(({ groups }) => JSON.parse(groups?.["data"] ?? ""));
const deep = (): JsonObject => JSON.parse(`${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`) as JsonObject;

describe("an answer over HTTP", () => {
  test("is JSON when it comes first", async () => {
    const { port, exchange, doneTimes } = await startSink((sink) => {
      sink.respond({ jsonrpc: "2.0", id: "id-1", result: { ok: "ä" } });
    });
    const reply = await send({ port });
    expect([reply.status, reply.headers["content-type"], reply.headers["content-length"]]).toEqual([
      200,
      "application/json",
      "50",
    ]);
    expect(json(reply)).toEqual({ jsonrpc: "2.0", id: "id-1", result: { ok: "ä" } });
    expect([doneTimes(), exchange.cancelled]).toEqual([1, []]);
  });

  test("is a stream of events as soon as something comes before it", async () => {
    const { port, time } = await startSink((sink) => {
      sink.notify(PROGRESS);
      sink.notify(PROGRESS);
      sink.respond({ jsonrpc: "2.0", id: "id-1", result: {} });
    });
    const reply = await send({ port });
    expect(reply.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
    expect(eventsOf(reply.text)).toEqual([PROGRESS, PROGRESS, { jsonrpc: "2.0", id: "id-1", result: {} }]);
    expect(time.pending).toBe(0);
  });

  test.each([
    ["modern", -32_601, 404],
    ["modern", -32_020, 400],
    ["modern", -32_021, 400],
    ["modern", -32_022, 400],
    ["modern", -32_602, 200],
    ["legacy", -32_601, 200],
  ] as const)("that is an upstream's error has the status of its code (%s, %i: HTTP %i)", async (era, code, status) => {
    const { port } = await startSink(
      (sink) => {
        sink.respond({ jsonrpc: "2.0", id: "id-1", error: { code, message: "no" } });
      },
      { era },
    );
    expect((await send({ port })).status).toBe(status);
  });

  test("is the upstream's own bytes when it has them, with its status and headers", async () => {
    const { port, doneTimes } = await startSink((sink) => {
      sink.start(400, { "content-type": "application/json; charset=utf-8", "content-length": "6" });
      expect(sink.write(Buffer.from("abc"))).toBe(true);
      expect(sink.write(Buffer.from("def"))).toBe(true);
      sink.end();
    });
    const reply = await send({ port });
    expect([reply.status, reply.headers["content-type"], reply.text]).toEqual([
      400,
      "application/json; charset=utf-8",
      "abcdef",
    ]);
    expect(doneTimes()).toBe(1);
  });

  test("is a stream of one event for a client that prefers streams, be it made here or ready bytes", async () => {
    const answers = [
      await startSink((sink) => {
        sink.respond({ jsonrpc: "2.0", id: "id-1", result: { tools: [] } });
      }),
      await startSink((sink) => {
        sink.sendResult("id-1", [Buffer.from('{"tools":'), Buffer.from("[]"), Buffer.from("}")]);
      }),
    ];
    for (const { port, time, doneTimes } of answers) {
      const reply = await send({ port, headers: { accept: "text/event-stream, application/json" } });
      expect(reply).toMatchObject({ status: 200, headers: { "content-type": "text/event-stream" } });
      expect(reply.text).toBe('event: message\ndata: {"jsonrpc":"2.0","id":"id-1","result":{"tools":[]}}\n\n');
      expect([time.pending, doneTimes()]).toEqual([0, 1]);
    }
  });

  test("keeps the status that the specification fixes, which a stream would hide, also for a client that prefers streams", async () => {
    const { port } = await startSink((sink) => {
      sink.respond({ jsonrpc: "2.0", id: "id-1", error: { code: -32_601, message: "no" } });
    });
    const reply = await send({ port, headers: { accept: "text/event-stream" } });
    expect([reply.status, reply.headers["content-type"]]).toEqual([404, "application/json"]);
  });

  test("is ready bytes in an envelope with the client's id", async () => {
    const { port } = await startSink((sink) => {
      sink.sendResult('q"\u00e4', [Buffer.from('{"tools":'), Buffer.from("[]"), Buffer.from("}")]);
    });
    const reply = await send({ port });
    expect(reply.text).toBe('{"jsonrpc":"2.0","id":"q\\"ä","result":{"tools":[]}}');
    expect(reply.headers["content-length"]).toBe(String(Buffer.byteLength(reply.text)));
  });

  test.each([
    ["modern", "METHOD_UNKNOWN", 404, -32_601],
    ["modern", "HEADER_MISMATCH", 400, -32_020],
    ["modern", "UPSTREAM_UNAVAILABLE", 200, -31_001],
    ["modern", "TOOL_UNKNOWN", 200, -32_602],
    ["legacy", "METHOD_UNKNOWN", 200, -32_601],
    ["legacy", "UPSTREAM_TIMEOUT", 200, -31_002],
  ] as const)("of failure in the %s era: %s is HTTP %i and %i", async (era, code, status, wire) => {
    const { port } = await startSink((sink) => sink.fail(new GatewayError(code, "what and why")), { era });
    const reply = await send({ port });
    expect(reply.status).toBe(status);
    expect(json(reply)).toEqual({ jsonrpc: "2.0", id: "id-1", error: { code: wire, message: "what and why" } });
  });

  test("of failure after a notification is the stream's last event", async () => {
    const { port } = await startSink((sink) => {
      sink.notify(PROGRESS);
      sink.fail(ERROR);
    });
    expect(eventsOf((await send({ port })).text)).toMatchObject([PROGRESS, { id: "id-1", error: { code: -31_001 } }]);
  });

  test("that breaks off half-way breaks the connection: half an answer must not look whole", async () => {
    const { port, sink, doneTimes, exchange } = await startSink((own) => {
      own.start(200, { "content-type": "application/json" });
      own.write(Buffer.from('{"half":'));
    });
    const connection = await RawConnection.open(port);
    connection.write(ASK);
    await connection.until(/half/);
    (await sink()).abort(ERROR);
    expect(await connection.untilClosed()).not.toMatch(/0\r\n\r\n$/);
    expect([doneTimes(), exchange.cancelled]).toEqual([1, []]);
  });

  test("that is nested too deeply to be encoded is an error, and nothing crashes", async () => {
    const { port } = await startSink((sink) => sink.respond({ jsonrpc: "2.0", id: "id-1", result: deep() }));
    const expected = {
      jsonrpc: "2.0",
      id: "id-1",
      error: { code: -31_001, message: "The connector's answer is nested too deeply to be passed on" },
    };
    expect(json(await send({ port }))).toEqual(expected);
    const streaming = await startSink((sink) => {
      sink.notify({ ...PROGRESS, params: deep() });
      sink.respond({ jsonrpc: "2.0", id: "id-1", result: deep() });
    });
    expect(eventsOf((await send({ port: streaming.port })).text)).toEqual([expected]);
  });

  test("once given cannot be given again, whatever an upstream still says", async () => {
    const { port, doneTimes } = await startSink((sink, exchange) => {
      sink.respond({ jsonrpc: "2.0", id: "id-1", result: { first: true } });
      sink.respond({ jsonrpc: "2.0", id: "id-1", result: { second: true } });
      sink.notify(PROGRESS);
      sink.start(500, {});
      expect(sink.write(Buffer.from("x"))).toBe(true);
      sink.end();
      sink.fail(ERROR);
      sink.abort(ERROR);
      sink.sendResult(1, []);
      sink.cancel("late");
      expect(exchange.cancelled).toEqual([]);
    });
    expect(json(await send({ port }))).toMatchObject({ result: { first: true } });
    expect(doneTimes()).toBe(1);
  });
});

describe("a quiet stream", () => {
  test("shows a sign of life every 15 s", async () => {
    const { port, sink, time } = await startSink((own) => own.notify(PROGRESS));
    const connection = await RawConnection.open(port);
    connection.write(ASK);
    const own = await sink();
    await connection.until(/progress/);
    await time.advance(15_000);
    await connection.until(/: keep-alive\n\n/);
    own.respond({ jsonrpc: "2.0", id: 1, result: {} });
    await connection.until(/0\r\n\r\n$/);
    expect(time.pending).toBe(0);
    connection.close();
  });
});
