import type { UpstreamQuestion } from "@cortex-os/mcp-bridge";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject, RequestId } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { ClientQuestions, withdrawal, type MessageToClient } from "../client-questions.js";

function setUp() {
  const time = new ManualTime();
  const sent: MessageToClient[] = [];
  const session = { isOpen: true };
  const questions = new ClientQuestions({
    timers: time,
    session: { tell: (message) => session.isOpen && sent.push(message) > 0 },
    tellWithdrawn: (id, reason) => sent.push(withdrawal(id, reason)),
  });
  const answers: unknown[] = [];
  const question = (params?: JsonObject): UpstreamQuestion => ({
    ...{ method: "elicitation/create", params },
    onAnswer: (answer) => answers.push(answer),
    onProgress: (progress) => answers.push(progress),
  });
  const idAt = (at: number): RequestId => {
    const message = sent[at];
    if (message === undefined || !("id" in message)) throw new Error(`no request at ${at}`);
    return message.id;
  };
  return { time, sent, session, questions, answers, question, idAt };
}

describe("what a client was asked (R22)", () => {
  test("goes out under an id of the gateway's own and comes back unchanged, once, to who asked", () => {
    const { answers, idAt, question, questions, sent } = setUp();
    const params = { message: "?", _meta: { own: 1 } };
    questions.ask(question(params));
    questions.ask(question(params));
    expect(sent).toMatchObject([{ method: "elicitation/create", params }, { params }]);
    expect(idAt(0)).not.toBe(idAt(1));
    const error = { code: -1, message: "no", data: [1] };
    questions.answered({ jsonrpc: "2.0", id: idAt(1), error });
    questions.answered({ jsonrpc: "2.0", id: idAt(1), result: {} });
    questions.answered({ jsonrpc: "2.0", id: "unknown", result: {} });
    questions.answered({ jsonrpc: "2.0", error });
    expect([answers, questions.size]).toEqual([[{ error }], 1]);
    const other = setUp();
    other.questions.ask(other.question());
    // An id of one session is nothing in another.
    other.questions.answered({ jsonrpc: "2.0", id: idAt(0), result: {} });
    expect(other.answers).toEqual([]);
  });

  test("progress is asked for under a token of the gateway's and told under the upstream's", () => {
    const { answers, idAt, question, questions, sent } = setUp();
    questions.ask(question({ _meta: { progressToken: 7, own: 1 } }));
    questions.ask(question({}));
    expect(sent[0]?.params).toEqual({ _meta: { progressToken: idAt(0), own: 1 } });
    questions.progressed({ progressToken: idAt(0), progress: 1 });
    questions.progressed({ progressToken: idAt(1), progress: 1 });
    questions.progressed({ progressToken: 7, progress: 1 });
    questions.progressed(undefined);
    expect(answers).toEqual([{ progressToken: 7, progress: 1 }]);
  });

  test("waits for a stream that the client has not opened yet, for ten seconds", async () => {
    const { answers, question, questions, sent, session, time } = setUp();
    session.isOpen = false;
    questions.ask(question());
    const withdrawn = questions.ask(question());
    withdrawn?.withdraw();
    session.isOpen = true;
    questions.deliver();
    questions.deliver();
    expect(sent).toHaveLength(1);
    session.isOpen = false;
    questions.ask(question());
    await time.advance(10_000);
    expect(answers).toMatchObject([{ error: { code: -31_001, message: expect.stringContaining("no stream") } }]);
    expect(questions.size).toBe(1);
  });

  test("and so much of it that one question may have waits at a time", async () => {
    const { answers, question, questions, session, sent, time } = setUp();
    session.isOpen = false;
    const large = { message: "x".repeat(3 * 1024 * 1024) };
    const first = questions.ask(question(large));
    questions.ask(question(large));
    expect([answers, questions.size]).toMatchObject([[{ error: { code: -31_003 } }], 1]);
    first?.withdraw();
    questions.ask(question(large));
    session.isOpen = true;
    questions.deliver();
    session.isOpen = false;
    questions.ask(question(large));
    await time.advance(10_000);
    questions.ask(question(large));
    expect([answers.length, questions.size, sent.length]).toEqual([2, 2, 1]);
  });

  test("on the stream of a request is not asked when nothing can be sent there", () => {
    const { answers, question, questions, sent } = setUp();
    expect(questions.ask(question(), { tell: () => false })).toBeUndefined();
    expect([answers, sent, questions.size]).toEqual([[], [], 0]);
  });

  test("that needs no answer any more is taken back where it was asked, or beside it when that stream is over", () => {
    const { idAt, question, questions, sent } = setUp();
    const told: MessageToClient[] = [];
    let isOpen = true;
    const way = { tell: (message: MessageToClient) => isOpen && told.push(message) > 0 };
    const first = questions.ask(question(), way);
    const second = questions.ask(question(), way);
    first?.withdraw("over");
    first?.withdraw("over");
    isOpen = false;
    second?.withdraw();
    expect(told).toMatchObject([{}, {}, { method: "notifications/cancelled", params: { reason: "over" } }]);
    expect(sent).toMatchObject([{ method: "notifications/cancelled" }]);
    expect(() => idAt(0)).toThrow("no request");
  });

  test("ends with its session, and more than a thousand at once are refused", () => {
    const { answers, question, questions, sent } = setUp();
    for (let count = 0; count < 1_001; count += 1) questions.ask(question());
    expect(answers).toMatchObject([{ error: { code: -31_003 } }]);
    questions.end("the client ended its session");
    expect([questions.size, answers.length, sent.length]).toEqual([0, 1_001, 2_000]);
    expect(answers.at(-1)).toMatchObject({ error: { message: expect.stringContaining("ended its session") } });
  });
});
