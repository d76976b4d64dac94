import { onTestFinished, describe, expect, test, vi } from "vitest";
import { Agent, Dispatcher } from "undici";
import { MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { json, modern, openStream, result, upstream } from "./scripted-upstream.js";

const OK = { resultType: "complete", content: [] };

/** Counts how often a connection is told to go on. */
class CountingAgent extends Dispatcher {
  readonly #agent = new Agent();
  resumed = 0;

  override dispatch(options: Agent.DispatchOptions, reader: Dispatcher.DispatchHandler): boolean {
    const onHeaders = reader.onHeaders?.bind(reader);
    const counted = (resume: () => void) => (): void => {
      this.resumed += 1;
      resume();
    };
    reader.onHeaders = (status, headers, resume, text) => onHeaders?.(status, headers, counted(resume), text) ?? true;
    return this.#agent.dispatch(options, reader);
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
