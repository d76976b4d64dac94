import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification, JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { Channel, type Receiver } from "../channel.js";

interface Heard extends Receiver {
  readonly answers: JsonRpcResponse[];
  readonly progress: JsonObject[];
  readonly failures: GatewayError[];
}

function receiver(): Heard {
  const answers: JsonRpcResponse[] = [];
  const progress: JsonObject[] = [];
  const failures: GatewayError[] = [];
  return {
    ...{ answers, progress, failures },
    onAnswer: (answer) => answers.push(answer),
    onProgress: (params) => progress.push(params),
    onFailure: (error) => failures.push(error),
  };
}

function channelUnderTest({ takes = true, sent = true } = {}): {
  channel: Channel;
  time: ManualTime;
  logger: RecordingLogger;
  written: JsonObject[];
  notified: JsonRpcNotification[];
  asked: string[];
  answer: (value: unknown) => void;
} {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const written: JsonObject[] = [];
  const notified: JsonRpcNotification[] = [];
  const asked: string[] = [];
  const channel = new Channel({
    ...{ connectorId: "demo", timers: time, monotonic: time, logger, output: "stdout" },
    redact: (text) => text.replaceAll("s3cret", "[redacted]"),
    write: (line) => {
      if (!takes) return undefined;
      expect(line.endsWith("\n")).toBe(true);
      written.push(JSON.parse(line) as JsonObject);
      return { withdraw: () => !sent };
    },
    onRequest: ({ method }, bytes) => void asked.push(`${method}, ${bytes} byte`),
    onNotification: (notification) => {
      if (notification.method === "explode") throw new Error("a listener's bug");
      notified.push(notification);
    },
  });
  const answer = (value: unknown): void => channel.accept(typeof value === "string" ? value : JSON.stringify(value), 1);
  return { channel, time, logger, written, notified, asked, answer };
}

const ok = (id: unknown, result: JsonObject = {}): object => ({ jsonrpc: "2.0", id, result });

describe("requests that share one channel", () => {
  test("get ids of the channel's own, and each the answer to its own, in whatever order they come", () => {
    const { channel, written, answer } = channelUnderTest();
    const heard = [receiver(), receiver(), receiver()];
    for (const each of heard) channel.request("tools/call", { name: "x" }, each);
    expect(written.map((message) => message["id"])).toEqual([1, 2, 3]);
    for (const id of [3, 1, 2]) answer(ok(id, { answered: id }));
    expect(heard.map(({ answers }) => answers)).toEqual([1, 2, 3].map((id) => [ok(id, { answered: id })]));
    expect(channel.pending).toBe(0);
  });

  test("ask for progress under the channel's token and hear only their own", () => {
    const { channel, written, answer } = channelUnderTest();
    const [a, b, silent] = [receiver(), receiver(), receiver()];
    channel.request("m", { _meta: { progressToken: "t", other: 1 } }, a, { progress: true });
    channel.request("m", { _meta: { progressToken: "t" } }, b, { progress: true });
    channel.request("m", {}, silent);
    expect(written[0]?.["params"]).toEqual({ _meta: { progressToken: 1, other: 1 } });
    for (const progressToken of [2, 3, 4, "1", "t"]) {
      answer({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken, progress: 1 } });
    }
    answer({ jsonrpc: "2.0", method: "notifications/progress" });
    expect(a.progress).toEqual([]);
    expect(b.progress).toEqual([{ progressToken: 2, progress: 1 }]);
    expect(silent.progress).toEqual([]);
  });

  test("hear nothing of answers to nobody, to somebody else's id, or twice", () => {
    const { channel, answer, logger } = channelUnderTest();
    const heard = receiver();
    channel.request("m", {}, heard);
    for (const id of [2, "1", 0, -1]) answer(ok(id));
    answer({ jsonrpc: "2.0", error: { code: 1, message: "whose?" } });
    expect(heard.answers).toEqual([]);
    answer(ok(1));
    answer(ok(1));
    expect(heard.answers).toHaveLength(1);
    expect(logger.messages("error")).toEqual([]);
  });

  test("are answered from a batch too (2025-03-26)", () => {
    const { channel, answer } = channelUnderTest();
    const [a, b] = [receiver(), receiver()];
    channel.request("m", {}, a);
    channel.request("m", {}, b);
    answer([ok(2), ok(1)]);
    expect([a.answers, b.answers]).toEqual([[ok(1)], [ok(2)]]);
  });

  test("all fail when the channel does", () => {
    const { channel, answer } = channelUnderTest();
    const heard = receiver();
    channel.request("m", {}, heard, { idleMs: 10, maxMs: 10 });
    const error = Object.assign(new Error("gone"), { isGatewayError: true }) as GatewayError;
    channel.failAll(error);
    channel.failAll(error);
    answer(ok(1));
    expect(heard.failures).toEqual([error]);
    expect(heard.answers).toEqual([]);
  });
});

describe("deadlines on a channel", () => {
  test("an answer that does not come is cancelled and failed after the idle time", async () => {
    const { channel, time, written } = channelUnderTest();
    const heard = receiver();
    channel.request("tools/call", {}, heard, { idleMs: 300, maxMs: 1_000 });
    await time.advance(299);
    expect(heard.failures).toEqual([]);
    await time.advance(1);
    expect(heard.failures).toMatchObject([
      { code: "UPSTREAM_TIMEOUT", message: 'Connector "demo": no answer to tools/call within 300 ms' },
    ]);
    expect(written[1]).toEqual({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: 1, reason: "timeout" },
    });
    expect(time.pending).toBe(0);
  });

  test("progress extends the wait, but never past the maximum", async () => {
    const { channel, time, answer } = channelUnderTest();
    const heard = receiver();
    channel.request("tools/call", {}, heard, { idleMs: 300, maxMs: 1_000, progress: true });
    for (let step = 0; step < 4; step += 1) {
      await time.advance(249);
      answer({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: step } });
    }
    expect(heard.failures).toEqual([]);
    await time.advance(4);
    expect(heard.failures).toMatchObject([{ code: "UPSTREAM_TIMEOUT", message: expect.stringContaining("1000 ms") }]);
    expect(time.pending).toBe(0);
  });

  test("an answer leaves no timer behind", () => {
    const { channel, time, answer } = channelUnderTest();
    channel.request("m", {}, receiver(), { idleMs: 300, maxMs: 1_000 });
    answer(ok(1));
    expect(time.pending).toBe(0);
  });
});

describe("cancelling on a channel", () => {
  test("tells the upstream by its own id, once, and hears nothing more", () => {
    const { channel, written, answer } = channelUnderTest();
    const heard = receiver();
    const request = channel.request("m", {}, heard);
    request.cancel("changed my mind");
    request.cancel();
    answer(ok(1));
    expect(written.slice(1)).toEqual([
      { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1, reason: "changed my mind" } },
    ]);
    expect([heard.answers, heard.failures]).toEqual([[], []]);
  });

  test("sends no reason when there is none, and nothing after an answer", () => {
    const { channel, written, answer } = channelUnderTest();
    const first = channel.request("m", {}, receiver());
    const second = channel.request("m", {}, receiver());
    first.cancel();
    answer(ok(2));
    second.cancel();
    expect(written.slice(2)).toEqual([{ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } }]);
  });

  test("says nothing about a request of which not a byte was sent", () => {
    const { channel, written } = channelUnderTest({ sent: false });
    channel.request("m", {}, receiver()).cancel();
    expect(written).toHaveLength(1);
  });

  test("forgetting is silent", () => {
    const { channel, written, answer } = channelUnderTest();
    const heard = receiver();
    channel.request("m", {}, heard).forget();
    answer(ok(1));
    expect(written).toHaveLength(1);
    expect(heard.answers).toEqual([]);
  });
});

describe("a peer that does not behave", () => {
  test("fails a request that it will not read, at once", () => {
    const { channel } = channelUnderTest({ takes: false });
    const heard = receiver();
    const request = channel.request("m", {}, heard, { idleMs: 1 });
    expect(heard.failures).toMatchObject([
      { code: "UPSTREAM_LIMIT", message: expect.stringContaining("does not read its input") },
    ]);
    request.cancel();
    request.forget();
    expect(channel.pending).toBe(0);
  });

  test("fails a request whose params cannot be encoded", () => {
    const { channel } = channelUnderTest();
    const heard = receiver();
    const round: Record<string, unknown> = {};
    round["again"] = round;
    channel.request("m", round as JsonObject, heard);
    expect(heard.failures).toMatchObject([{ code: "INVALID_REQUEST" }]);
    channel.notify("n", round as JsonObject);
  });

  test("a peer gets {} for a ping, whatever else it asks is handed on, and nothing of that once it is modern", () => {
    const { channel, written, asked, answer } = channelUnderTest();
    answer({ jsonrpc: "2.0", id: 1, method: "ping" });
    answer({ jsonrpc: "2.0", id: "r", method: "sampling/createMessage", params: {} });
    channel.answersRequests = false;
    answer({ jsonrpc: "2.0", id: 2, method: "ping" });
    answer({ jsonrpc: "2.0", id: 3, method: "roots/list" });
    expect(written).toEqual([ok(1)]);
    expect(asked).toEqual(["sampling/createMessage, 1 byte"]);
  });

  test("gets a request failed whose answer is malformed, and no other", () => {
    const { channel, answer } = channelUnderTest();
    const [a, b] = [receiver(), receiver()];
    channel.request("m", {}, a);
    channel.request("m", {}, b);
    answer({ jsonrpc: "2.0", id: 1, method: 5 });
    answer({ jsonrpc: "2.0", id: 1, method: "roots/list", params: [] });
    expect(a.failures).toEqual([]);
    answer({ jsonrpc: "2.0", id: 1, result: [] });
    expect(a.failures).toMatchObject([
      { code: "UPSTREAM_PROTOCOL", message: expect.stringContaining("malformed answer") },
    ]);
    expect(b.failures).toEqual([]);
  });

  test("prints banners: they are skipped, with a few warnings and no secret", () => {
    const { channel, answer, logger } = channelUnderTest();
    const heard = receiver();
    channel.request("m", {}, heard);
    for (let line = 0; line < 100; line += 1) answer(`Welcome ${line} s3cret`);
    for (const blank of ["", "\r", "   "]) answer(blank);
    answer(ok(1));
    expect(heard.answers).toHaveLength(1);
    expect(logger.messages("warn")).toHaveLength(5);
    expect(logger.messages("warn").at(-1)).toContain("further ones are not logged");
    expect(logger.lines[0]?.fields).toEqual({ connectorId: "demo", text: "Welcome 0 [redacted]" });
  });

  test("cannot bring the gateway down by a listener's bug", () => {
    const { channel, answer, logger, notified } = channelUnderTest();
    channel.notify("hello");
    answer({ jsonrpc: "2.0", method: "explode" });
    answer({ jsonrpc: "2.0", method: "calm" });
    expect(notified).toEqual([{ jsonrpc: "2.0", method: "calm" }]);
    expect(logger.messages("error")).toHaveLength(1);
  });
});

describe("results that nest too deeply", () => {
  test("fail the request that set a bound, and reach the one that did not", () => {
    const { channel, answer } = channelUnderTest();
    const [bounded, open, errors] = [receiver(), receiver(), receiver()];
    channel.request("tools/call", {}, bounded, { maxDepth: 3 });
    channel.request("tools/list", {}, open);
    channel.request("tools/call", {}, errors, { maxDepth: 3 });
    for (const id of [1, 2]) answer(ok(id, { a: [[[]]] }));
    answer({ jsonrpc: "2.0", id: 3, error: { code: 1, message: "no" } });
    expect(bounded.failures[0]?.code).toBe("UPSTREAM_PROTOCOL");
    expect(bounded.failures[0]?.message).toBe(
      'Connector "demo": its answer to tools/call is nested deeper than 3 levels',
    );
    expect([open.answers.length, errors.answers.length, bounded.answers.length]).toEqual([1, 1, 0]);
  });
});
