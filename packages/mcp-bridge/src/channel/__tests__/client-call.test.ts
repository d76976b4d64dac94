import { GatewayError } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import type { UpstreamFacts } from "../../link.js";
import { Channel } from "../channel.js";
import { ClientCall } from "../client-call.js";
import { MODERN_CALLER, RecordingSink, toolCall } from "../../stdio/__tests__/support.js";

const FACTS: UpstreamFacts = {
  era: "modern",
  revision: "2026-07-28",
  capabilities: {},
  detectedAt: "2026-01-01T00:00:00.000Z",
};
const ERROR = new GatewayError("UPSTREAM_UNAVAILABLE", "gone");

const channelTo = (written: string[]): Channel =>
  new Channel({
    output: "stdout",
    ...{
      connectorId: "demo",
      timers: new ManualTime(),
      monotonic: new ManualTime(),
      logger: new RecordingLogger(),
      redact: (text) => text,
    },
    write: (line) => {
      written.push(line);
      return { withdraw: () => false };
    },
    onRequest: () => {},
    onNotification: () => {},
  });

function callUnderTest(meta?: { readonly progressToken: string }): {
  call: ClientCall;
  sink: RecordingSink;
  settled: () => number;
  written: string[];
  begin: () => void;
} {
  const sink = new RecordingSink();
  const written: string[] = [];
  let settled = 0;
  const call = new ClientCall(
    toolCall("x", {}, { caller: MODERN_CALLER, ...(meta === undefined ? {} : { meta }) }),
    sink,
    () => {
      expect(sink.outcomes).toBe(0);
      settled += 1;
    },
  );
  const channel = channelTo(written);
  return { call, sink, settled: () => settled, written, begin: () => call.begin(channel, FACTS, {}) };
}

describe("one client call", () => {
  test("has one outcome, whatever comes afterwards", () => {
    const { call, sink, settled, begin } = callUnderTest({ progressToken: "t" });
    begin();
    call.onProgress({ progressToken: 1, progress: 1 });
    call.onAnswer({ jsonrpc: "2.0", id: 1, result: {} });
    call.onAnswer({ jsonrpc: "2.0", id: 1, result: {} });
    call.onProgress({ progressToken: 1, progress: 2 });
    call.onFailure(ERROR);
    call.cancel();
    expect([sink.outcomes, sink.notifications.length, settled()]).toEqual([1, 1, 1]);
  });

  test("that was cancelled or has failed before it could be sent is never sent", () => {
    const cancelled = callUnderTest();
    cancelled.call.cancel();
    cancelled.begin();
    const failed = callUnderTest();
    failed.call.onFailure(ERROR);
    failed.begin();
    expect([cancelled.written, failed.written]).toEqual([[], []]);
    expect([cancelled.sink.outcomes, failed.sink.failure]).toEqual([0, ERROR]);
  });

  test("that is abandoned fails with the error, and the upstream is told to stop", () => {
    const { call, sink, written, begin } = callUnderTest();
    begin();
    call.abandon(ERROR);
    call.abandon(ERROR);
    call.onAnswer({ jsonrpc: "2.0", id: 1, result: {} });
    expect([sink.outcomes, sink.failure]).toEqual([1, ERROR]);
    expect(written.slice(1)).toEqual([
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n',
    ]);
  });

  test("that asked for no progress hears of none", () => {
    const { call, sink, begin } = callUnderTest();
    begin();
    call.onProgress({ progressToken: 1, progress: 1 });
    expect(sink.notifications).toEqual([]);
  });

  test("that is answered without ever having been sent is answered in the era of its caller", () => {
    const { call, sink } = callUnderTest();
    call.onAnswer({ jsonrpc: "2.0", id: 1, result: { a: 1 } });
    expect(sink.response).toEqual({ jsonrpc: "2.0", id: 1, result: { a: 1 } });
  });
});

describe("a good answer as bytes (R18)", () => {
  const answered = (sink: object, era: "modern" | "legacy" = "modern"): { call: ClientCall; took: boolean } => {
    const call = new ClientCall(
      toolCall("x", {}, { caller: MODERN_CALLER }),
      Object.assign(new RecordingSink(), sink),
      () => {},
    );
    call.begin(channelTo([]), { ...FACTS, era }, {});
    return { call, took: call.takesBytes };
  };

  test("is taken between peers of one era, by a sink that has a way for it and does not want to read it", () => {
    expect(answered({}).took).toBe(true);
    expect(answered({}, "legacy").took).toBe(false);
    expect(answered({ sendResult: undefined }).took).toBe(false);
    expect(answered({ original: () => {} }).took).toBe(false);
  });

  test("is one outcome, under the caller's id", () => {
    const { call, sink, settled, begin } = callUnderTest();
    begin();
    call.onResult(Buffer.from('{"a":1}'));
    call.onResult(Buffer.from('{"a":2}'));
    expect(sink.response).toEqual({ jsonrpc: "2.0", id: 1, result: { a: 1 } });
    expect([sink.passedOn, sink.outcomes, settled()]).toEqual([1, 1, 1]);
  });
});
