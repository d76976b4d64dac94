import { GatewayError } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { OpenQuestions, type QuestionRoute } from "../open-questions.js";
import { RecordedQuestions } from "./recorded-questions.js";

function setUp() {
  const time = new ManualTime();
  const replies: JsonObject[] = [];
  const holds = { count: 0, empty: 0 };
  const client = new RecordedQuestions();
  const questions = new OpenQuestions({
    timers: time,
    maxMs: 1_000,
    reply: (message) => void replies.push(message as JsonObject),
    onEmpty: () => void (holds.empty += 1),
  });
  const hold = (): (() => void) => {
    holds.count += 1;
    return () => void (holds.count -= 1);
  };
  const relay = (id: string | number, { params = {}, bytes = 1, ...route }: Partial<QuestionRoute> & Relayed = {}) =>
    questions.relay(
      { jsonrpc: "2.0", id, method: "elicitation/create", params },
      { ask: client.ask, hold, ...route },
      bytes,
    );
  return { time, replies, holds, client, questions, relay };
}

interface Relayed {
  readonly params?: JsonObject;
  readonly bytes?: number;
}

const nested = (depth: number): JsonObject => (depth === 0 ? {} : { a: nested(depth - 1) });

describe("questions of an upstream that wait for a client", () => {
  test("are answered once, results and errors as they came, and hold what waits for them until then", () => {
    const { client, holds, questions, relay, replies } = setUp();
    relay("q", { params: { message: "?" } });
    expect([holds.count, questions.size, client.only.params]).toEqual([1, 1, { message: "?" }]);
    client.only.onProgress({ progressToken: 3, progress: 1 });
    const error = { code: -1, message: "no", data: { why: "because" } };
    client.only.onAnswer({ error });
    client.only.onAnswer({ result: { late: true } });
    client.only.onProgress({ progressToken: 3, progress: 2 });
    expect(replies).toEqual([
      { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 3, progress: 1 } },
      { jsonrpc: "2.0", id: "q", error },
    ]);
    expect([holds, questions.size]).toEqual([{ count: 0, empty: 1 }, 0]);
  });

  test("are withdrawn by the upstream, and answered no more", () => {
    const { client, questions, relay, replies } = setUp();
    relay(1);
    questions.withdrawn({ requestId: 2 });
    questions.withdrawn(undefined);
    expect(client.only.withdrawn).toBeUndefined();
    questions.withdrawn({ requestId: 1, reason: "changed my mind" });
    client.only.onAnswer({ result: {} });
    expect([client.only.withdrawn, replies, questions.size]).toEqual(["changed my mind", [], 0]);
  });

  test("end with what they belong to, and no other does", () => {
    const { client, questions, relay, replies } = setUp();
    const [mine, other] = [{}, {}];
    relay(1, { owner: mine });
    relay(2, { owner: other });
    relay(3);
    questions.endOf(mine, new GatewayError("CANCELLED", "over"));
    expect(client.all.map(({ withdrawn }) => withdrawn)).toEqual(["over", undefined, undefined]);
    expect(replies).toMatchObject([{ id: 1, error: { code: -32_603, message: "over" } }]);
    questions.endAll(new GatewayError("UPSTREAM_UNAVAILABLE", "gone"));
    expect([questions.size, client.all.map(({ withdrawn }) => withdrawn)]).toEqual([0, ["over", "gone", "gone"]]);
  });

  test("end when nobody answers in time", async () => {
    const { client, relay, replies, time } = setUp();
    relay(1);
    await time.advance(999);
    expect(replies).toEqual([]);
    await time.advance(1);
    expect(replies).toMatchObject([{ id: 1, error: { code: -31_002 } }]);
    expect(client.only.withdrawn).toBe("The client did not answer within 1000 ms");
  });

  test("are refused without a way to the client, when they are too large, too deep or under an id that waits", () => {
    const { client, holds, questions, relay, replies } = setUp();
    relay(1, { ask: () => undefined });
    relay(2, { bytes: 4 * 1024 * 1024 + 1 });
    relay(3, { params: nested(80) });
    const long = "x".repeat(1_025);
    relay(long);
    expect(replies.map(({ id, error }) => [id, (error as JsonObject)["code"]])).toEqual([
      [1, -31_001],
      [2, -32_600],
      [3, -32_600],
      [long, -32_600],
    ]);
    relay(4);
    relay(4);
    expect([client.all.length, questions.size, holds.count, replies.length]).toEqual([1, 1, 1, 4]);
  });
});
