import type { Exchange } from "@cortex-os/mcp-bridge";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { Era } from "@cortex-os/mcp-core/wire";
import type { ServerResponse } from "node:http";
import { vi } from "vitest";
import { startServer } from "../../__tests__/support/http.js";
import { HttpSink } from "../http-sink.js";
import { KeepAlive } from "../keep-alive.js";

/** A notification that an upstream may send before its answer. */
export const PROGRESS = { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } } as const;

/** An exchange that keeps what it was asked. */
export class TestExchange implements Exchange {
  readonly cancelled: (string | undefined)[] = [];
  resumed = 0;
  onResume: () => void = () => {};

  cancel(reason?: string): void {
    this.cancelled.push(reason);
  }

  resume(): void {
    this.resumed += 1;
    this.onResume();
  }
}

interface Options {
  readonly era?: Era;
  readonly slowReaderMs?: number;
}

/** A server whose every answer is given by `answer` through a sink. */
export async function startSink(answer: (sink: HttpSink, exchange: TestExchange) => void, options: Options = {}) {
  const time = new ManualTime();
  const exchange = new TestExchange();
  const sinks: { readonly sink: HttpSink; readonly response: ServerResponse }[] = [];
  let done = 0;
  const deps = { timers: time, keepAlive: new KeepAlive(time), slowReaderMs: options.slowReaderMs ?? 30_000 };
  const { port, server } = await startServer((_request, response) => {
    const sink = new HttpSink(response, "id-1", options.era ?? "modern", deps, () => (done += 1));
    sinks.push({ sink, response });
    answer(sink, exchange);
    sink.attach(exchange);
  });
  const first = async (): Promise<{ sink: HttpSink; response: ServerResponse }> =>
    vi.waitFor(() => {
      const [only] = sinks;
      if (only === undefined) throw new Error("no request came");
      return only;
    });
  const sink = async (): Promise<HttpSink> => (await first()).sink;
  /** The response that the first request is answered through. */
  const answered = async (): Promise<ServerResponse> => (await first()).response;
  return { time, exchange, port, server, sink, answered, doneTimes: () => done };
}

/** A request as bytes. */
export const ASK = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
