import type { Exchange } from "@cortex-os/mcp-bridge";
import { GatewayError } from "@cortex-os/mcp-core";
import { META } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { FAREWELL } from "../../stdio/farewell.js";
import { ChannelSink, type MessageChannel } from "../channel-sink.js";

const JSON_HEADERS = { "content-type": "application/json" };
const SSE_HEADERS = { "content-type": "text/event-stream; charset=utf-8" };
const progress = {
  jsonrpc: "2.0",
  method: "notifications/progress",
  params: { progressToken: "p", progress: 1 },
} as const;
const answer = { jsonrpc: "2.0", id: 7, result: { ok: true } } as const;
const ended = {
  jsonrpc: "2.0",
  id: 7,
  error: { code: -31_001, message: "The connector's answer ended without an answer" },
};

function start(budget = { left: 1_000 }) {
  const lines: string[] = [];
  const told = { done: 0, behind: 0, resumed: 0, cancelled: [] as (string | undefined)[] };
  const channel: MessageChannel & { isBehind: boolean } = {
    isBehind: false,
    send: (message) => {
      lines.push(typeof message === "string" ? message : Buffer.concat(message).toString("utf8"));
    },
  };
  const exchange: Exchange = {
    cancel: (reason) => told.cancelled.push(reason),
    resume: () => (told.resumed += 1),
  };
  const sink = new ChannelSink(
    { id: 7, token: "p" },
    { channel, budget, onBehind: () => (told.behind += 1) },
    () => (told.done += 1),
  );
  sink.attach(exchange);
  const write = (text: string): boolean => sink.write(Buffer.from(text));
  return {
    sink,
    lines,
    told,
    channel,
    budget,
    write,
    messages: () => lines.map((line) => JSON.parse(line) as unknown),
  };
}

describe("the JSON of an upstream", () => {
  test("becomes one line, whatever white space and byte order mark it came with", () => {
    const { sink, lines, write, told } = start();
    sink.start(200, JSON_HEADERS);
    for (const piece of ["\uFEFF", "\r\n", '{\n  "jsonrpc": "2.0",\r\n', '  "id": 7,\n  "result": {"n": 1.0}\n}\n'])
      write(piece);
    expect(lines).toEqual([]);
    sink.end();
    expect(lines).toEqual(['{   "jsonrpc": "2.0",   "id": 7,   "result": {"n": 1.0} }']);
    expect(told.done).toBe(1);
  });

  test("may be a batch, of which each message is a line", () => {
    const { sink, messages, write } = start();
    sink.start(200, {});
    write(JSON.stringify([progress, answer, answer]));
    sink.end();
    expect(messages()).toEqual([progress, answer]);
  });

  test.each([
    ["no JSON", "<html>"],
    ["an answer to somebody else", JSON.stringify({ ...answer, id: 8 })],
    ["no message", "[1, {}]"],
    ["a request", JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" })],
    ["nothing", ""],
  ])("that is %s never reaches the channel: an error does", (_name, body) => {
    const { sink, messages, write } = start();
    sink.start(200, JSON_HEADERS);
    write(body);
    sink.end();
    expect(messages()).toEqual([ended]);
  });

  test("that is an error without an id gets the request's", () => {
    const error = { code: -32_600, message: "what?" };
    for (const own of [{}, { id: null }]) {
      const { sink, messages, write } = start();
      sink.start(400, JSON_HEADERS);
      write(JSON.stringify({ jsonrpc: "2.0", ...own, error }));
      sink.end();
      expect(messages()).toEqual([{ jsonrpc: "2.0", id: 7, error }]);
    }
  });

  test("that would be too much to hold is given up, and what was held is free again", () => {
    const { sink, messages, write, told, budget } = start();
    sink.start(200, JSON_HEADERS);
    write("x".repeat(600));
    expect(budget.left).toBe(400);
    expect(write("x".repeat(600))).toBe(true);
    expect(messages()).toMatchObject([{ id: 7, error: { code: -31_003 } }]);
    expect([budget.left, told.done, told.cancelled.length]).toEqual([1_000, 1, 1]);
    expect(write("more")).toBe(true);
    sink.end();
    expect(messages()).toHaveLength(1);
  });
});

describe("the events of an upstream", () => {
  test("are passed on as they come, each a line, until the answer", () => {
    const { sink, messages, write, told } = start();
    sink.start(200, SSE_HEADERS);
    write(`: hello\n\ndata: ${JSON.stringify(progress)}\n\n`);
    expect(messages()).toEqual([progress]);
    write('data: {"jsonrpc":"2.0",\ndata: "id":7,"result":{"ok":true}}\n\n');
    expect(messages()).toEqual([progress, answer]);
    expect(told.done).toBe(1);
    write(`data: ${JSON.stringify(progress)}\n\n`);
    sink.end();
    expect(messages()).toHaveLength(2);
  });

  test("that are no messages are dropped; an end without an answer is an error", () => {
    const { sink, messages, write } = start();
    sink.start(200, SSE_HEADERS);
    write("data: nonsense\n\ndata: {}\n\ndata:\n\n");
    sink.end();
    expect(messages()).toEqual([ended]);
  });

  test.each<[string, object]>([
    ["ends another request or a subscription", { method: "notifications/cancelled", params: { requestId: 1 } }],
    ["answers another subscription", { method: "notifications/subscriptions/acknowledged", params: {} }],
    ["advances another request", { method: "notifications/progress", params: { progressToken: 1, progress: 1 } }],
    ["speaks for a subscription", { method: "x", params: { _meta: { [META.subscriptionId]: 1 } } }],
    ["speaks of lists", { method: "notifications/tools/list_changed" }],
    ["speaks of resources", { method: "notifications/resources/updated", params: { uri: "x:1" } }],
    ["speaks as a gateway to its relay", FAREWELL],
  ])("do not reach the channel when one %s; in JSON neither", (_what, message) => {
    for (const [headers, frame] of [
      [SSE_HEADERS, (text: string) => `data: ${text}\n\ndata: ${JSON.stringify(answer)}\n\n`],
      [JSON_HEADERS, (text: string) => `[${text},${JSON.stringify(answer)}]`],
    ] as const) {
      const { sink, messages, write } = start();
      sink.start(200, headers);
      write(frame(JSON.stringify({ jsonrpc: "2.0", ...message })));
      sink.end();
      expect(messages()).toEqual([answer]);
    }
  });

  test("that nobody knows, and log messages, are passed on", () => {
    const { sink, messages, write } = start();
    const vendor = { jsonrpc: "2.0", method: "notifications/vendor", params: { "x-own": 1 } };
    const log = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: 1 } };
    sink.start(200, SSE_HEADERS);
    write(`data: ${JSON.stringify(vendor)}\n\ndata: ${JSON.stringify(log)}\n\n`);
    expect(messages()).toEqual([vendor, log]);
  });

  test("that never end are given up", () => {
    const { sink, messages, told } = start();
    sink.start(200, SSE_HEADERS);
    const chunk = Buffer.alloc(8 * 1024 * 1024, "x");
    for (let at = 0; at < 5; at += 1) sink.write(chunk);
    expect(messages()).toMatchObject([{ id: 7, error: { code: -31_003 } }]);
    expect(told.cancelled).toHaveLength(1);
  });

  test("wait while the reader is behind, and go on when it has caught up", () => {
    const { sink, write, told, channel } = start();
    sink.start(200, SSE_HEADERS);
    channel.isBehind = true;
    expect(write(`data: ${JSON.stringify(progress)}\n\n`)).toBe(false);
    expect(told).toMatchObject({ behind: 1, resumed: 0 });
    sink.resume();
    expect(told.resumed).toBe(1);
    expect(write(`data: ${JSON.stringify(answer)}\n\n`)).toBe(true);
    sink.resume();
    expect(told).toMatchObject({ behind: 1, resumed: 1, done: 1 });
  });
});

describe("messages", () => {
  const deep = (): Record<string, unknown> => {
    let value: Record<string, unknown> = {};
    for (let level = 0; level < 100_000; level += 1) value = { value };
    return value;
  };

  test("are passed on, what is nested too deeply is not: the request fails", () => {
    const { sink, messages } = start();
    sink.notify(progress);
    sink.notify({ ...progress, params: deep() as never });
    sink.respond({ jsonrpc: "2.0", id: 7, result: deep() as never });
    expect(messages()).toEqual([
      progress,
      {
        jsonrpc: "2.0",
        id: 7,
        error: { code: -31_001, message: "The connector's answer is nested too deeply to be passed on" },
      },
    ]);
  });

  test("come once: after the answer, nothing does anything any more", () => {
    const { sink, messages, told } = start();
    sink.sendResult("x", [Buffer.from('{"a":'), Buffer.from("1}")]);
    sink.notify(progress);
    sink.respond(answer);
    sink.sendResult(7, [Buffer.from("{}")]);
    const error = new GatewayError("UPSTREAM_TIMEOUT", "late");
    sink.fail(error);
    sink.abort(error);
    sink.shutDown(error);
    sink.cancel();
    sink.end();
    expect(messages()).toEqual([{ jsonrpc: "2.0", id: "x", result: { a: 1 } }]);
    expect(told).toMatchObject({ done: 1, cancelled: [] });
  });

  test("do not come after it was cancelled; the upstream is told", () => {
    const { sink, messages, told } = start();
    sink.cancel("enough");
    sink.respond(answer);
    expect(messages()).toEqual([]);
    expect(told).toMatchObject({ done: 1, cancelled: ["enough"] });
  });

  test("that broke off half-way are answered by the error: nothing of them was sent", () => {
    const { sink, messages, write } = start();
    sink.start(200, JSON_HEADERS);
    write('{"jsonrpc":"2.0","id":7,');
    sink.abort(new GatewayError("UPSTREAM_UNAVAILABLE", "gone"));
    expect(messages()).toEqual([{ jsonrpc: "2.0", id: 7, error: { code: -31_001, message: "gone" } }]);
  });
});
