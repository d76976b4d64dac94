import { GatewayError } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { MeteredSink, type EndedRequest } from "../metered-sink.js";

const REQUEST = { method: "tools/call", era: "modern" } as const;
const ERROR = new GatewayError("UPSTREAM_TIMEOUT", "too late");

const NO_SESSIONS = { find: () => undefined };

async function setUp() {
  const time = new ManualTime();
  const inner = new RecordingSink();
  const seen: EndedRequest[] = [];
  const observe = (request: EndedRequest) => seen.push(request);
  const sink = new MeteredSink(inner, REQUEST, { monotonic: time, observe, sessions: NO_SESSIONS });
  await time.advance(1_500);
  return { inner, seen, sink };
}

describe("the metered sink (R15)", () => {
  test("passes bytes on and reports at their end", async () => {
    const { inner, seen, sink } = await setUp();
    sink.start(200, { "content-type": "application/json" });
    expect(sink.write(Buffer.from("x"))).toBe(true);
    expect(seen).toEqual([]);
    sink.end();
    expect(inner.events.map(({ kind }) => kind)).toEqual(["start", "write", "end"]);
    expect(seen).toEqual([{ ...REQUEST, outcome: "answered", seconds: 1.5 }]);
  });

  test("passes messages on and reports at the answer, whatever the upstream said", async () => {
    const { inner, seen, sink } = await setUp();
    sink.notify({ jsonrpc: "2.0", method: "notifications/progress" });
    sink.respond({ jsonrpc: "2.0", id: 1, error: { code: -32_602, message: "no" } });
    expect(inner.events.map(({ kind }) => kind)).toEqual(["notify", "respond"]);
    expect(seen).toEqual([{ ...REQUEST, outcome: "answered", seconds: 1.5 }]);
  });

  test("reports a ready result as answered, a failure of ours as failed, half an answer as broken", async () => {
    const [ready, failed, broken] = [await setUp(), await setUp(), await setUp()];
    ready.sink.sendResult(1, [Buffer.from("{}")]);
    failed.sink.fail(ERROR);
    broken.sink.start(200, {});
    broken.sink.abort(ERROR);
    expect(ready.seen).toEqual([{ ...REQUEST, outcome: "answered", seconds: 1.5 }]);
    expect(failed.seen).toEqual([{ ...REQUEST, outcome: "failed", seconds: 1.5, code: "UPSTREAM_TIMEOUT" }]);
    expect(failed.inner.failure).toBe(ERROR);
    expect(broken.seen).toEqual([{ ...REQUEST, outcome: "broken", seconds: 1.5, code: "UPSTREAM_TIMEOUT" }]);
    expect(broken.inner.events.at(-1)).toEqual({ kind: "abort", error: ERROR });
  });

  test("reports bytes that ended with an error of ours as failed, and says so to whom it passes them on", async () => {
    const { inner, seen, sink } = await setUp();
    const ends: unknown[] = [];
    inner.end = (failure) => ends.push(failure);
    sink.start(200, { "content-type": "text/event-stream" });
    sink.end(ERROR);
    expect(ends).toEqual([ERROR]);
    expect(seen).toEqual([{ ...REQUEST, outcome: "failed", seconds: 1.5, code: "UPSTREAM_TIMEOUT" }]);
  });

  test("reports once, also when an upstream goes on after its end", async () => {
    const { seen, sink } = await setUp();
    sink.end();
    sink.abort(ERROR);
    sink.fail(ERROR);
    expect(seen).toEqual([{ ...REQUEST, outcome: "answered", seconds: 1.5 }]);
  });

  test("reports a cancelled call as such, whatever comes after it, and passes cancelling and resuming on", async () => {
    const { seen, sink } = await setUp();
    const told: unknown[] = [];
    sink.over({
      cancel: (reason) => {
        told.push(reason);
        sink.fail(ERROR);
      },
      resume: () => told.push("resume"),
    });
    sink.resume();
    sink.cancel("enough");
    sink.cancel("again");
    expect(told).toEqual(["resume", "enough", "again"]);
    expect(seen).toEqual([{ ...REQUEST, outcome: "cancelled", seconds: 1.5 }]);
  });

  test("names the connector that a request was forwarded to", async () => {
    const { seen, sink } = await setUp();
    sink.forwardedTo("k");
    sink.end();
    expect(seen).toEqual([{ ...REQUEST, connector: "k", outcome: "answered", seconds: 1.5 }]);
  });

  test("does not report a request as cancelled that is answered already", async () => {
    const { seen, sink } = await setUp();
    sink.sendResult(1, [Buffer.from("{}")]);
    sink.over({ cancel: () => {}, resume: () => {} });
    sink.cancel();
    expect(seen).toEqual([{ ...REQUEST, outcome: "answered", seconds: 1.5 }]);
  });

  test("says when the reader is behind", async () => {
    const inner = new RecordingSink();
    inner.write = () => false;
    const sink = new MeteredSink(inner, REQUEST, {
      monotonic: new ManualTime(),
      observe: () => {},
      sessions: NO_SESSIONS,
    });
    expect(sink.write(Buffer.from("x"))).toBe(false);
  });
});
