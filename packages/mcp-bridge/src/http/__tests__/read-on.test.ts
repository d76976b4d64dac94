import { onTestFinished, describe, expect, test, vi } from "vitest";
import { Agent, Dispatcher } from "undici";
import type { RawHeaders, ResponseReader } from "../response-reader.js";
import { MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { json, modern, openStream, result, upstream } from "./scripted-upstream.js";

const OK = { resultType: "complete", content: [] };

/** Counts how often a connection is told to go on. */
class CountingAgent extends Dispatcher {
  readonly #agent = new Agent();
  resumed = 0;

  override dispatch(options: Agent.DispatchOptions, reader: Dispatcher.DispatchHandler): boolean {
    const inner = reader as unknown as ResponseReader;
    const counting: ResponseReader = {
      onConnect: (abort) => inner.onConnect(abort),
      onHeaders: (status: number, headers: RawHeaders, resume) =>
        inner.onHeaders(status, headers, () => {
          this.resumed += 1;
          resume();
        }),
      onData: (chunk) => inner.onData(chunk),
      onComplete: () => inner.onComplete(),
      onError: (error) => inner.onError(error),
    };
    return this.#agent.dispatch(options, counting);
  }

  override destroy(): Promise<void> {
    return this.#agent.destroy();
  }
}

const counting = (): CountingAgent => {
  const agent = new CountingAgent();
  onTestFinished(() => agent.destroy());
  return agent;
};

describe("a reader who has caught up (R18)", () => {
  test("lets its connection go on while it is answered, and not once that is over: the connection is another's then", async () => {
    const rest = "x".repeat(4 * 1024 * 1024);
    const server = await upstream(modern((seen, res) => json(res, 200, result(seen, { ...OK, rest }))));
    const agent = counting();
    const { link } = await openLink(server.url, { agent });
    const sink = new RecordingSink();
    sink.behind = true;
    const exchange = link.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(sink.chunks.length).toBeGreaterThan(0));
    sink.behind = false;
    exchange.resume();
    expect(agent.resumed).toBe(1);
    await sink.done;
    exchange.resume();
    expect(agent.resumed).toBe(1);
  });

  test("nor after the answer on an event stream that does not end", async () => {
    const server = await upstream(
      modern((seen, res) => {
        openStream(res)(result(seen, OK));
      }),
    );
    const agent = counting();
    const { link } = await openLink(server.url, { agent });
    const sink = new RecordingSink();
    sink.behind = true;
    const exchange = link.send(toolCall(MODERN_CALLER), sink);
    await sink.done;
    exchange.resume();
    expect(agent.resumed).toBe(0);
  });
});
