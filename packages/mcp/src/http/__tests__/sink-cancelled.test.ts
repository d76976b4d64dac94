import { GatewayError } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { RawConnection, send, startServer } from "../../__tests__/support/http.js";
import { HttpSink } from "../http-sink.js";
import { KeepAlive } from "../keep-alive.js";
import { ASK, PROGRESS, startSink, TestExchange } from "./sink-set-up.js";

const dataOf = (text: string): unknown[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice(6)));

describe("an answer whose client cancels by message", () => {
  test("before a byte is an empty stream without a response", async () => {
    const { port, sink, exchange, doneTimes } = await startSink(() => {});
    const replying = send({ port });
    (await sink()).cancel("enough");
    const reply = await replying;
    expect([reply.status, reply.headers["content-type"], reply.text]).toEqual([200, "text/event-stream", ""]);
    expect([exchange.cancelled, doneTimes()]).toEqual([["enough"], 1]);
  });

  test("in a stream ends it without a response", async () => {
    const { port, sink, exchange, time } = await startSink((own) => own.notify(PROGRESS));
    const replying = send({ port });
    (await sink()).cancel();
    expect(dataOf((await replying).text)).toEqual([PROGRESS]);
    expect(exchange.cancelled).toEqual([undefined]);
    await vi.waitFor(() => expect(time.pending).toBe(0));
  });

  test("in an upstream's event stream ends that", async () => {
    const { port, sink } = await startSink((own) => {
      own.start(200, { "content-type": "text/event-stream" });
      own.write(Buffer.from(": hi\n\n"));
    });
    const replying = send({ port });
    (await sink()).cancel();
    expect((await replying).text).toBe(": hi\n\n");
  });

  test.each([
    ["a JSON text", { "content-type": "application/json" }],
    ["bytes with a length", { "content-type": "text/event-stream", "content-length": "100" }],
    ["bytes of no type", {}],
  ])(
    "in the middle of %s breaks the connection, or the next answer would be read as its rest",
    async (_what, headers) => {
      const { port, sink } = await startSink((own) => {
        own.start(200, headers);
        own.write(Buffer.from('{"half":'));
      });
      const connection = await RawConnection.open(port);
      connection.write(ASK);
      await connection.until(/half/);
      (await sink()).cancel();
      expect(await connection.untilClosed()).not.toMatch(/0\r\n\r\n$/);
    },
  );
});

describe("an answer whose client goes away", () => {
  test.each<[string, (sink: HttpSink) => void]>([
    ["before the answer", () => {}],
    ["in a stream", (sink) => sink.notify(PROGRESS)],
    [
      "in the middle of bytes",
      (sink) => {
        sink.start(200, {});
        sink.write(Buffer.from("x"));
      },
    ],
  ])("%s cancels its exchange, once, and leaves no timer", async (_when, answer) => {
    const { port, sink, exchange, doneTimes, time } = await startSink(answer);
    const connection = await RawConnection.open(port);
    connection.write(ASK);
    const own = await sink();
    connection.close();
    await vi.waitFor(() => expect(exchange.cancelled).toEqual(["the client disconnected"]));
    own.cancel("late");
    own.notify(PROGRESS);
    own.respond({ jsonrpc: "2.0", id: 1, result: {} });
    expect([exchange.cancelled.length, doneTimes(), time.pending]).toEqual([1, 1, 0]);
  });

  test("before the exchange is attached cancels it when it is", async () => {
    const exchange = new TestExchange();
    const time = new ManualTime();
    const deps = { timers: time, keepAlive: new KeepAlive(time), slowReaderMs: 1 };
    const { port } = await startServer((_request, response) => {
      const sink = new HttpSink(response, 1, "modern", deps);
      response.removeAllListeners("close");
      response.once("close", () => sink.attach(exchange));
    });
    const connection = await RawConnection.open(port);
    connection.write(ASK);
    await vi.waitFor(() => expect(connection.socket.bytesWritten).toBeGreaterThan(0));
    connection.close();
    await vi.waitFor(() => expect(exchange.cancelled).toEqual(["the client disconnected"]));
  });
});

describe("an answer that a shutdown comes before", () => {
  const CLOSING = new GatewayError("UPSTREAM_UNAVAILABLE", "the gateway is shutting down");

  test("of which half has been passed on breaks off: it must not look whole", async () => {
    const { port, sink, exchange, doneTimes } = await startSink((own) => {
      own.start(200, { "content-type": "application/json" });
      own.write(Buffer.from('{"half":'));
    });
    const connection = await RawConnection.open(port);
    connection.write(ASK);
    await connection.until(/half/);
    (await sink()).shutDown(CLOSING);
    expect(await connection.untilClosed()).not.toMatch(/0\r\n\r\n$/);
    expect([doneTimes(), exchange.cancelled]).toEqual([1, ["the gateway is shutting down"]]);
  });

  test("is not touched when it was given already", async () => {
    const { port, exchange, doneTimes } = await startSink((sink) => {
      sink.respond({ jsonrpc: "2.0", id: "id-1", result: {} });
      sink.shutDown(CLOSING);
    });
    expect(JSON.parse((await send({ port })).text)).toEqual({ jsonrpc: "2.0", id: "id-1", result: {} });
    expect([doneTimes(), exchange.cancelled]).toEqual([1, []]);
  });
});
