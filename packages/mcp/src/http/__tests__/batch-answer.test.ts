import { GatewayError, Roster } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { failOnLeaks, messagesOf } from "../../__tests__/support/gateway.js";
import { send, startServer } from "../../__tests__/support/http.js";
import { KeepAlive } from "../keep-alive.js";
import { BatchAnswer, type BatchDeps, type BatchMember } from "../legacy-batch.js";
import { sessionStreams, TestExchange } from "./sink-set-up.js";

failOnLeaks();

type Unanswered = NonNullable<BatchDeps["unanswered"]>;

/** The streams of a session of the one revision that had batches. */
const streamsOf = (time: ManualTime) =>
  sessionStreams(time, { keepAlive: new KeepAlive(time), slowReaderMs: 1_000 }, "2025-03-26").streams;

/** The messages a client gets when two members are answered by `answer`; and what their exchanges heard. */
async function answered(answer: (first: BatchMember, second: BatchMember, unanswered: Unanswered) => void) {
  const exchanges = [new TestExchange(), new TestExchange()] as const;
  const done: number[] = [];
  const time = new ManualTime();
  const unanswered: Unanswered = new Roster();
  const { port } = await startServer((_request, response) => {
    const batch = new BatchAnswer(response, { streams: streamsOf(time), unanswered });
    const [first, second] = [batch.member(1, () => done.push(1)), batch.member("b", () => done.push(2))];
    batch.complete();
    first.attach(exchanges[0]);
    second.attach(exchanges[1]);
    answer(first, second, unanswered);
  });
  const reply = await send({ port, method: "POST" });
  return { reply, messages: messagesOf(reply), exchanges, done, time };
}

const OK = { jsonrpc: "2.0", id: "b", result: {} } as const;

describe("the answer to a batch", () => {
  test("passes on JSON as one event however it was laid out and cut, and not a digit of it changed", async () => {
    const text = '\uFEFF{\r\n "jsonrpc": "2.0",\n "id": 1,\r "result": {"n": 12345678901234567890.0, "s": "ä\\n"}\n}\n';
    const { reply, messages, done } = await answered((first, second) => {
      first.start(200, { "content-type": "application/json" });
      second.respond(OK);
      for (const byte of Buffer.from(text)) expect(first.write(Buffer.of(byte))).toBe(true);
      first.end();
    });
    expect(messages).toMatchObject([{ id: "b" }, { id: 1, result: { s: "ä\n" } }]);
    expect(reply.text).toContain('"n": 12345678901234567890.0');
    expect(done).toEqual([2, 1]);
  });

  test("passes on the events of two streams, and ends with the later one", async () => {
    const event = (message: JsonObject): Buffer => Buffer.from(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    const { messages } = await answered((first, second) => {
      for (const member of [first, second]) member.start(200, { "content-type": "text/event-stream" });
      first.write(event({ n: 1 }));
      second.write(event({ n: 2 }));
      first.write(event({ n: 3 }));
      first.end();
      first.write(event({ n: "too late" }));
      second.notify({ jsonrpc: "2.0", method: "n" });
      second.end();
    });
    expect(messages).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { jsonrpc: "2.0", method: "n" }]);
  });

  test("half a JSON answer was not sent yet: its failure is", async () => {
    const { messages } = await answered((first, second) => {
      first.start(200, {});
      first.write(Buffer.from('{"jsonrpc'));
      first.abort(new GatewayError("UPSTREAM_UNAVAILABLE", "it went away"));
      second.fail(new GatewayError("UPSTREAM_TIMEOUT", "too late"));
    });
    expect(messages).toEqual([
      { jsonrpc: "2.0", id: 1, error: { code: -31_001, message: "it went away" } },
      { jsonrpc: "2.0", id: "b", error: { code: -31_002, message: "too late" } },
    ]);
  });

  test("holds 32 MiB of JSON at most, all members together, and is free for the next when one is done", async () => {
    const piece = Buffer.alloc(8 * 1024 * 1024, 0x20);
    const { messages, exchanges } = await answered((first, second) => {
      for (let part = 0; part < 3; part += 1) first.write(piece);
      second.write(piece);
      second.write(Buffer.of(0x20));
      for (let part = 0; part < 2; part += 1) first.write(piece);
    });
    expect(messages).toMatchObject([
      { id: "b", error: { code: -31_003, message: expect.stringContaining("send one request at a time") } },
      { id: 1, error: { code: -31_003 } },
    ]);
    expect(exchanges.map(({ cancelled }) => cancelled)).toEqual([
      ["the answer is too large for a batch"],
      ["the answer is too large for a batch"],
    ]);
  });

  test("an answer that cannot be encoded is an error", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`) as JsonObject;
    const { messages } = await answered((first, second) => {
      first.respond({ jsonrpc: "2.0", id: 1, result: deep });
      second.respond(OK);
    });
    expect(messages).toMatchObject([{ id: 1, error: { code: -31_001 } }, OK]);
  });

  test("a shutdown answers what is still waiting, and only that", async () => {
    const error = new GatewayError("UPSTREAM_UNAVAILABLE", "the gateway is shutting down");
    const { messages, exchanges } = await answered((_first, second, unanswered) => {
      expect(unanswered.size).toBe(2);
      second.respond(OK);
      second.shutDown(error);
      expect(unanswered.size).toBe(1);
      for (const waiting of unanswered.all()) waiting.shutDown(error);
      expect(unanswered.size).toBe(0);
    });
    expect(messages).toEqual([OK, { jsonrpc: "2.0", id: 1, error: { code: -31_001, message: error.message } }]);
    expect(exchanges[0].cancelled).toEqual([error.message]);
    expect(exchanges[1].cancelled).toEqual([]);
  });

  test("a client that was gone before cancels every member", async () => {
    const time = new ManualTime();
    const exchange = new TestExchange();
    let done = 0;
    const { port } = await startServer((_request, response) => {
      response.once("close", () => {
        const batch = new BatchAnswer(response, { streams: streamsOf(time) });
        batch.member(1, () => (done += 1)).attach(exchange);
        batch.complete();
      });
      response.destroy();
    });
    await expect(send({ port, method: "POST" })).rejects.toThrow("socket hang up");
    await vi.waitFor(() => expect(exchange.cancelled).toEqual(["the client disconnected"]));
    expect(done).toBe(1);
  });

  test("says nothing more of a member that is done or cancelled, and keeps no timer longer than the stream is remembered", async () => {
    const { messages, exchanges, done, time } = await answered((first, second) => {
      first.sendResult(1, [Buffer.from("{"), Buffer.from('"n":1}')]);
      first.sendResult(1, [Buffer.from("{}")]);
      first.respond(OK);
      first.notify({ jsonrpc: "2.0", method: "n" });
      first.fail(new GatewayError("INTERNAL", "x"));
      first.end();
      first.cancel();
      second.cancel("enough");
      second.cancel("again");
      second.write(Buffer.from("x"));
      second.end();
    });
    expect(messages).toEqual([{ jsonrpc: "2.0", id: 1, result: { n: 1 } }]);
    expect(exchanges.map(({ cancelled }) => cancelled)).toEqual([[], ["enough"]]);
    expect(done).toEqual([1, 2]);
    await time.advance(10_000);
    expect(time.pending).toBe(0);
  });
});
