import type { Server } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { RawConnection, send } from "../../__tests__/support/http.js";
import type { HttpSink } from "../http-sink.js";
import { ASK, PROGRESS, startSink, type TestExchange } from "./sink-set-up.js";

describe("a reader that is slow (reliability.md, 5.1, SSE backpressure)", () => {
  const CHUNK = Buffer.alloc(64 * 1024, "x");

  /** Writes as an upstream does: until told to wait, then again when resumed. Returns how much was written. */
  function pump(total: number) {
    const written = { bytes: 0, waits: 0 };
    const answer = (sink: HttpSink, exchange: TestExchange): void => {
      const go = (): void => {
        while (written.bytes < total) {
          written.bytes += CHUNK.length;
          if (!sink.write(CHUNK)) {
            written.waits += 1;
            return;
          }
        }
        sink.end();
      };
      exchange.onResume = go;
      sink.start(200, { "content-type": "application/octet-stream" });
      go();
    };
    return { written, answer };
  }

  test("gets all of it at its own pace: every wait is followed by one resume", async () => {
    const { written, answer } = pump(16 * 1024 * 1024);
    const { port, exchange, time } = await startSink(answer);
    const reply = await send({ port });
    expect(reply.text).toHaveLength(16 * 1024 * 1024);
    expect(written.waits).toBeGreaterThan(0);
    expect(exchange.resumed).toBe(written.waits);
    expect([exchange.cancelled, time.pending]).toEqual([[], 0]);
  });

  test("and stops reading holds a bounded amount, and is cut off after the time it is given", async () => {
    const { written, answer } = pump(1024 * 1024 * 1024);
    const { port, exchange, time, doneTimes } = await startSink(answer);
    const connection = await RawConnection.open(port);
    connection.socket.pause();
    connection.write(ASK);
    // What the two sockets' kernel buffers take is gone from us; after that nothing more is asked of the upstream.
    let before = -1;
    await vi.waitFor(
      () => {
        const { bytes } = written;
        const moved = bytes !== before;
        before = bytes;
        if (moved || bytes === 0) throw new Error("still moving");
      },
      { timeout: 5_000, interval: 200 },
    );
    expect(written.bytes).toBeLessThan(32 * 1024 * 1024);
    expect(time.delays).toEqual([30_000]);
    await time.advance(29_999);
    expect(exchange.cancelled).toEqual([]);
    await time.advance(1);
    await vi.waitFor(() => expect(exchange.cancelled).toEqual(["the client disconnected"]));
    expect([doneTimes(), time.pending]).toEqual([1, 0]);
    connection.socket.resume();
    await connection.untilClosed();
  });

  test("is told once to wait although writes go on", async () => {
    const { port, sink, time } = await startSink((own) => own.start(200, {}));
    const connection = await RawConnection.open(port);
    connection.socket.pause();
    connection.write(ASK);
    const own = await sink();
    while (own.write(CHUNK));
    expect(own.write(CHUNK)).toBe(false);
    expect(time.pending).toBe(1);
    connection.close();
    await vi.waitFor(() => expect(time.pending).toBe(0));
  });

  test.each<[string, (sink: HttpSink) => void]>([
    ["a list", (sink) => sink.sendResult(1, [Buffer.alloc(64 * 1024 * 1024, " "), Buffer.from("{}")])],
    ["an answer", (sink) => sink.respond({ jsonrpc: "2.0", id: 1, result: { text: "x".repeat(64 * 1024 * 1024) } })],
    [
      "a stream's end",
      (sink) => {
        sink.notify(PROGRESS);
        sink.respond({ jsonrpc: "2.0", id: 1, result: { text: "x".repeat(64 * 1024 * 1024) } });
      },
    ],
  ])("and stops reading in the middle of %s is cut off too", async (_what, answer) => {
    const { port, server } = await startSink(answer, { slowReaderMs: 200 });
    const connection = await RawConnection.open(port);
    connection.socket.pause();
    connection.write(ASK);
    await untilNoConnection(server);
  });

  test.each<[string, (sink: HttpSink) => void]>([
    ["an answer", (sink) => sink.respond({ jsonrpc: "2.0", id: 1, result: { text: "x".repeat(8 * 1024 * 1024) } })],
    [
      "a stream's last message",
      (sink) => {
        sink.notify(PROGRESS);
        sink.respond({ jsonrpc: "2.0", id: 1, result: { text: "x".repeat(8 * 1024 * 1024) } });
      },
    ],
  ])("but reads gets %s of 8 MiB whole", async (_what, answer) => {
    const { port } = await startSink(answer);
    expect((await send({ port })).text.length).toBeGreaterThan(8 * 1024 * 1024);
  });

  test("of a stream is cut off when more than 4 MiB wait for it", async () => {
    const { port, sink, exchange } = await startSink(() => {});
    const connection = await RawConnection.open(port);
    connection.socket.pause();
    connection.write(ASK);
    const own = await sink();
    for (let sent = 0; sent < 64; sent += 1) own.notify({ ...PROGRESS, params: { text: "x".repeat(1024 * 1024) } });
    await vi.waitFor(() => expect(exchange.cancelled).toEqual(["the client disconnected"]));
    connection.socket.resume();
    const text = await connection.untilClosed();
    expect(text.length).toBeLessThan(16 * 1024 * 1024);
  });

  test("of a stream is cut off at the second beat in a row that finds it behind", async () => {
    const { port, sink, answered, exchange, time } = await startSink(() => {});
    const connection = await RawConnection.open(port);
    connection.socket.pause();
    connection.write(ASK);
    const own = await sink();
    // More than the kernel's buffers take and far less than the cap: then it is behind for good.
    const response = await answered();
    while (response.writableLength < 256 * 1024) {
      own.notify({ ...PROGRESS, params: { text: "x".repeat(64 * 1024) } });
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    await time.advance(15_000);
    expect(exchange.cancelled).toEqual([]);
    await time.advance(15_000);
    await vi.waitFor(() => expect(exchange.cancelled).toEqual(["the client disconnected"]));
    expect(time.pending).toBe(0);
  });
});

async function untilNoConnection(server: Server): Promise<void> {
  await vi.waitFor(
    async () => {
      const open = await new Promise<number>((resolve, reject) => {
        server.getConnections((error, count) => {
          if (error === null) resolve(count);
          else reject(error);
        });
      });
      if (open > 0) throw new Error("still open");
    },
    { timeout: 5_000, interval: 50 },
  );
}
