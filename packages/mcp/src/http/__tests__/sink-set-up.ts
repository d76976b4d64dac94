import type { Exchange } from "@cortex-os/mcp-bridge";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { Era } from "@cortex-os/mcp-core/wire";
import type { ServerResponse } from "node:http";
import { vi } from "vitest";
import { startServer } from "../../__tests__/support/http.js";
import { fakeScope } from "../../gateway/__tests__/fake-scope.js";
import { ClientSession } from "../../gateway/client-session.js";
import { DEFAULT_STREAM_POLICY } from "../client-stream.js";
import { DEFAULT_EVENT_LOG_LIMITS } from "../event-log.js";
import { HttpSink } from "../http-sink.js";
import { KeepAlive } from "../keep-alive.js";
import { openLegacyStream } from "../legacy-stream.js";
import { ClientStreams, type ClientStreamsDeps } from "../session-streams.js";
import type { SseDeps } from "../sse-response.js";

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
  /** The client has a session of this revision. */
  readonly revision?: string;
  readonly streams?: Partial<ClientStreamsDeps>;
}

/** A session whose event streams can be gone on with. */
export function sessionStreams(time: ManualTime, sse: SseDeps, revision: string, own: Partial<ClientStreamsDeps> = {}) {
  const caller = { era: "legacy", revision, principal: "p" } as const;
  const session = new ClientSession("session-1", fakeScope(), caller, 0, time);
  const deps = { sse, timers: time, policy: DEFAULT_STREAM_POLICY, limits: DEFAULT_EVENT_LOG_LIMITS };
  const streams = new ClientStreams({ ...deps, isAccepting: () => true, ...own }).of(session);
  return { session, streams };
}

/** A server whose every answer is given by `answer` through a sink. */
export async function startSink(answer: (sink: HttpSink, exchange: TestExchange) => void, options: Options = {}) {
  const time = new ManualTime();
  const exchange = new TestExchange();
  const sinks: { readonly sink: HttpSink; readonly response: ServerResponse }[] = [];
  let done = 0;
  const deps = { timers: time, keepAlive: new KeepAlive(time), slowReaderMs: options.slowReaderMs ?? 30_000 };
  const { era = "modern", revision } = options;
  const own = revision === undefined ? undefined : sessionStreams(time, deps, revision, options.streams);
  const { port, server } = await startServer((request, response) => {
    if (own !== undefined && request.method === "GET") {
      openLegacyStream(own.session, own.streams, request, response);
      return;
    }
    const sink = new HttpSink(response, "id-1", era, deps, () => (done += 1), own?.streams);
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
  return { time, exchange, port, server, sink, answered, doneTimes: () => done, session: own?.session };
}

/** A request as bytes. */
export const ASK = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
