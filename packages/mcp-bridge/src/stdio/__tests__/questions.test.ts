import type { JsonObject, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { afterEach, describe, expect, test } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import {
  callTool,
  closeLinks,
  expectNoProcessLeft,
  LEGACY_CALLER,
  linkTo,
  RecordingSink,
  toolCall,
  until,
  type LinkSetup,
  type LinkUnderTest,
} from "./support.js";

afterEach(async () => {
  await closeLinks();
  await expectNoProcessLeft();
});

const ROOTS_CHANGED: JsonRpcNotification = { jsonrpc: "2.0", method: "notifications/roots/list_changed" };
const client = (sessionKey: string): Caller => ({
  ...LEGACY_CALLER,
  sessionKey,
  capabilities: { elicitation: { form: {}, url: {} }, roots: { listChanged: true } },
});

async function opened(setup: LinkSetup = {}): Promise<LinkUnderTest> {
  const under = linkTo(setup);
  await under.open();
  return under;
}

/** A call of the client's in which its server asks for an elicitation, and which goes on. */
function asking({ link }: LinkUnderTest, caller: Caller, id: string, params: JsonObject = {}): RecordingSink {
  const sink = new RecordingSink();
  const line = JSON.stringify({
    jsonrpc: "2.0",
    id,
    method: "elicitation/create",
    params: { message: "?", ...params },
  });
  link.send(toolCall("raw", { line }, { caller }), sink);
  return sink;
}

const say = async (under: LinkUnderTest, caller: Caller, method: string, params: JsonObject): Promise<unknown> =>
  callTool(under, "say", { messages: [{ method, params }] }, { caller });

/** What the caller's process was sent: the names of methods, and answers as they came. */
const seenBy = async (under: LinkUnderTest, caller: Caller): Promise<unknown[]> => {
  const { text } = await callTool(under, "seen", {}, { caller });
  return JSON.parse(text) as unknown[];
};

describe("what a shared child asks back (R22; design.md, decision 6)", () => {
  test("goes to the one client with a call in flight, and what it answers goes back", async () => {
    const under = await opened();
    const sink = asking(under, client("a"), "q1");
    await until(() => sink.questions.all.length === 1);
    sink.questions.only.onAnswer({ result: { action: "accept", content: {} } });
    expect(await seenBy(under, client("a"))).toContainEqual({
      jsonrpc: "2.0",
      id: "q1",
      result: { action: "accept", content: {} },
    });
  });

  test("is taken back when the child says so, and when the call is given up", async () => {
    const under = await opened();
    const sink = asking(under, client("a"), "q1");
    await until(() => sink.questions.all.length === 1);
    await say(under, client("a"), "notifications/cancelled", { requestId: "q1", reason: "never mind" });
    expect(sink.questions.only.withdrawn).toBe("never mind");

    const other = new RecordingSink();
    const line = JSON.stringify({ jsonrpc: "2.0", id: "q2", method: "elicitation/create", params: { message: "?" } });
    const only = await opened();
    const exchange = only.link.send(toolCall("raw", { line }, { caller: client("a") }), other);
    await until(() => other.questions.all.length === 1);
    exchange.cancel("changed my mind");
    expect(other.questions.only.withdrawn).toBe("The call that this was asked for is over");
    expect(await seenBy(only, client("a"))).toContainEqual(
      expect.objectContaining({
        id: "q2",
        error: expect.objectContaining({ message: other.questions.only.withdrawn }),
      }),
    );
  });

  test("and could be meant for two clients is asked of neither; from then on each has a child of its own", async () => {
    const under = await opened();
    const waiting = new RecordingSink();
    under.link.send(toolCall("hang", {}, { caller: client("b") }), waiting);
    const sinks = ["q1", "q2"].map((id) => asking(under, client("a"), id));
    // Requests of the gateway's own still go to the shared child.
    const bounds = { timeoutMs: 5_000, maxBytes: 100_000 };
    const answers = async (): Promise<string> =>
      JSON.stringify(await under.link.request("tools/call", { name: "seen", arguments: {} }, bounds));
    await until(async () => (await answers()).split("it cannot be told whose it is").length === 3);
    expect([waiting, ...sinks].flatMap(({ questions }) => questions.all)).toEqual([]);
    expect(under.isolated.count).toBe(1);
    expect(under.logger.messages("warn")).toHaveLength(1);

    const [a, b] = await Promise.all(
      ["a", "b"].map(async (key) => callTool(under, "pid", {}, { caller: client(key) })),
    );
    expect(a?.text).not.toBe(b?.text);
    const own = asking(under, client("a"), "q3");
    await until(() => own.questions.all.length === 1);
  });

  test("an elicitation that was completed elsewhere is told to the client whose it was, once", async () => {
    const under = await opened();
    const sink = asking(under, client("a"), "q1", { mode: "url", url: "https://host/go", elicitationId: "e1" });
    await until(() => sink.questions.all.length === 1);
    const method = "notifications/elicitation/complete";
    for (const elicitationId of ["e1", "e1", "strange"]) await say(under, client("a"), method, { elicitationId });
    expect(under.told.filter(([notification]) => notification.method === method)).toEqual([
      [{ jsonrpc: "2.0", method, params: { elicitationId: "e1" } }, "a"],
    ]);
  });
});

test("that a client's roots changed is told to the child of its session, and to no other (R22)", async () => {
  const under = await opened({ isolation: "session" });
  for (const key of ["a", "b"]) await callTool(under, "pid", {}, { caller: client(key) });
  under.link.tellOfClient("a", ROOTS_CHANGED);
  under.link.tellOfClient("nobody", ROOTS_CHANGED);
  expect(await seenBy(under, client("a"))).toContain(ROOTS_CHANGED.method);
  expect(await seenBy(under, client("b"))).not.toContain(ROOTS_CHANGED.method);
});
