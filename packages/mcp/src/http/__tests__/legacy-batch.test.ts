import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import {
  answerOf,
  failOnLeaks,
  initialize,
  messagesOf,
  specAt,
  startServed,
  startUpstream,
  type LegacyClient,
} from "../../__tests__/support/gateway.js";
import { RawConnection, send, type Reply } from "../../__tests__/support/http.js";

failOnLeaks();

async function served(revision = "2025-03-26") {
  const modern = await startUpstream({ era: "modern" });
  const legacy = await startUpstream({ era: "legacy" });
  const running = await startServed([specAt("m", modern.url), specAt("l", legacy.url)]);
  // What that revision's clients send: they have no header for it.
  const { id } = await initialize(running.port, revision);
  const headers = { "mcp-session-id": id };
  const post = async (batch: unknown, own: Record<string, string> = {}): Promise<Reply> =>
    send({
      port: running.port,
      method: "POST",
      path: "/mcp",
      headers: { "content-type": "application/json", ...headers, ...own },
      body: JSON.stringify(batch),
    });
  return { ...running, modern, legacy, headers, post };
}

const request = (id: string | number, method: string, params?: JsonObject): JsonObject => ({
  jsonrpc: "2.0",
  id,
  method,
  ...(params === undefined ? {} : { params }),
});
const call = (id: string | number, name: string, args: JsonObject = {}, _meta: JsonObject = {}): JsonObject =>
  request(id, "tools/call", { name, arguments: args, _meta });
const byId = (reply: Reply): Map<unknown, JsonObject> =>
  new Map(messagesOf(reply).flatMap((message) => (message["id"] === undefined ? [] : [[message["id"], message]])));

/** The batch as bytes, for a connection that a test holds itself. */
function raw({ headers }: Pick<LegacyClient, "headers">, batch: unknown): string {
  const body = JSON.stringify(batch);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = ["POST /mcp HTTP/1.1", "host: localhost", "content-type: application/json", ...lines];
  return [...head, `content-length: ${body.length}`, "", body].join("\r\n");
}

describe("a batch of a 2025-03-26 session", () => {
  test("is answered by one event stream with one event for each request, in any order", async () => {
    const { post } = await served();
    const reply = await post([
      request(1, "ping"),
      { jsonrpc: "2.0", method: "notifications/initialized" },
      request("list", "tools/list"),
      call(2, "m__echo", { message: "to modern" }),
      call(3, "l__echo", { message: "to legacy" }),
      request(4, "no/such"),
      { jsonrpc: "2.0", id: 99, result: {} },
    ]);
    expect([reply.status, reply.headers["content-type"]]).toEqual([200, "text/event-stream"]);
    const answers = byId(reply);
    expect(new Set(answers.keys())).toEqual(new Set([1, 2, 3, 4, "list"]));
    expect(answers.get(1)).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect(answers.get("list")).toMatchObject({ result: { tools: expect.any(Array) } });
    expect(JSON.stringify(answers.get(2))).toContain("to modern");
    expect(JSON.stringify(answers.get(3))).toContain("to legacy");
    expect(answers.get(4)).toMatchObject({ error: { code: -32_601 } });
  });

  test("brings progress of several calls, each under its own token, before its answer", async () => {
    const { post } = await served();
    const keys = ["m", "l", "m", "l"];
    const reply = await post(
      keys.map((key, at) => call(at, `${key}__slow`, { ms: 20, steps: 3 }, { progressToken: `t${at}` })),
    );
    const messages = messagesOf(reply);
    for (const at of keys.keys()) {
      const ofOne = messages.filter(
        ({ id, params }) => id === at || (params as JsonObject | undefined)?.["progressToken"] === `t${at}`,
      );
      expect(ofOne.length).toBeGreaterThan(1);
      expect(ofOne.map(({ id }) => id)).toEqual([...Array<undefined>(ofOne.length - 1), at]);
    }
    expect(messages.filter(({ id }) => id !== undefined)).toHaveLength(4);
  });

  test("large answers all arrive: a reader that keeps up loses none of them", async () => {
    const { post } = await served();
    const bytes = 5 * 1024 * 1024;
    const reply = await post([1, 2, 3, 4].map((id) => call(id, "l__large", { bytes })));
    const answers = byId(reply);
    expect(new Set(answers.keys())).toEqual(new Set([1, 2, 3, 4]));
    for (const answer of answers.values()) expect(JSON.stringify(answer).length).toBeGreaterThan(bytes);
  });

  test("of notifications and responses alone is 202", async () => {
    const { post } = await served();
    const reply = await post([
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { jsonrpc: "2.0", id: 1, result: {} },
    ]);
    expect([reply.status, reply.text]).toEqual([202, ""]);
  });

  test("may have 100 messages", async () => {
    const { post } = await served();
    const reply = await post(Array.from({ length: 100 }, (_, id) => call(id, id % 2 === 0 ? "m__echo" : "l__echo")));
    expect(byId(reply).size).toBe(100);
    expect([...byId(reply).values()].every(({ result }) => result !== undefined)).toBe(true);
  });

  test("an id that is under way already, in the batch too, is refused to the second", async () => {
    const { post } = await served();
    const reply = await post([call(1, "m__slow", { ms: 50 }), request(1, "ping")]);
    expect(messagesOf(reply)).toMatchObject([
      { id: 1, error: { code: -32_600, message: "Another request with this id is still under way" } },
      { id: 1, result: {} },
    ]);
  });

  test("one cancelled call has no answer, and the stream ends with the others", async () => {
    const { post, legacy } = await served();
    const answering = post([call(1, "l__slow", { ms: 60_000 }), call(2, "l__echo")]);
    await vi.waitFor(() => expect(legacy.calls.inFlight).toBe(1));
    await post([{ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } }]);
    expect([...byId(await answering).keys()]).toEqual([2]);
    await vi.waitFor(() => expect(legacy.calls.inFlight).toBe(0));
  });

  test("a client that goes away cancels all of it, and its ids are free again", async () => {
    const { port, headers, post, modern, legacy } = await served();
    const connection = await RawConnection.open(port);
    const slow = [call(1, "l__slow", { ms: 60_000 }), call(2, "m__slow", { ms: 60_000 })];
    connection.write(raw({ headers }, slow));
    await vi.waitFor(() => expect([modern.calls.inFlight, legacy.calls.inFlight]).toEqual([1, 1]));
    connection.close();
    await vi.waitFor(() => expect([modern.calls.inFlight, legacy.calls.inFlight]).toEqual([0, 0]));
    expect(byId(await post([request(1, "ping"), request(2, "ping")])).size).toBe(2);
  });
});

describe("a batch is refused as a whole, and nothing of it is done", () => {
  test.each<[string, unknown[], string]>([
    ["without a message", [], "a batch holds 1 to 100 messages, not 0"],
    ["of 101 messages", Array.from({ length: 101 }, (_, id) => request(id, "ping")), "not 101"],
    ["with initialize", [call(1, "m__echo"), request(2, "initialize")], "initialize must not be part of a batch"],
    ["with something that is no message", [call(1, "m__echo"), 5], "a message must be one JSON object"],
    ["in a batch", [[request(1, "ping")]], "a message must be one JSON object"],
    ["that could be read two ways", [call(1, "m__echo"), { ...request(2, "ping"), Method: "x" }], "in case only"],
    [
      "with a message nested too deeply",
      [call(1, "m__echo", JSON.parse(`${'{"a":'.repeat(62)}{}${"}".repeat(62)}`) as JsonObject)],
      "nested deeper than 64 levels",
    ],
  ])("%s", async (_what, batch, reason) => {
    const { post, metrics, modern } = await served();
    const before = modern.calls.started;
    const reply = await post(batch);
    expect([reply.status, answerOf(reply)]).toEqual([
      400,
      { jsonrpc: "2.0", error: { code: -32_600, message: expect.stringContaining(reason) } },
    ]);
    expect(modern.calls.started).toBe(before);
    expect(await metrics.exposition()).toContain('brainwav_mcp_rejected_requests_total{reason="body"} 1');
  });

  test("nested just as deep as a single message may be, it is taken", async () => {
    const { post } = await served();
    const deep = JSON.parse(`${'{"a":'.repeat(60)}{}${"}".repeat(60)}`) as JsonObject;
    expect(answerOf(await post([call(1, "m__echo", { deep })]))).toMatchObject({ id: 1 });
  });

  test.each(["2024-11-05", "2025-06-18", "2025-11-25"])("by a session of %s", async (revision) => {
    const { post } = await served(revision);
    expect(await refusalOf(post([request(1, "ping")]))).toEqual([400, NO_BATCHES]);
  });

  test.each([
    ["the header of another revision", { "mcp-protocol-version": "2025-06-18" }],
    ["the modern header", { "mcp-protocol-version": "2026-07-28" }],
  ])("with %s", async (_what, own) => {
    const { post } = await served();
    expect(await refusalOf(post([request(1, "ping")], own))).toEqual([400, NO_BATCHES]);
  });

  test("without a session, or with one that is over", async () => {
    const { port, post } = await served();
    const headers = { "content-type": "application/json" };
    const bare = send({ port, method: "POST", path: "/mcp", headers, body: JSON.stringify([request(1, "ping")]) });
    expect(await refusalOf(bare)).toEqual([400, NO_BATCHES]);
    expect(await refusalOf(post([request(1, "ping")], { "mcp-session-id": "gone" }))).toEqual([
      404,
      "Session not found: initialize again",
    ]);
  });

  const NO_BATCHES = "JSON-RPC batches are not supported: send one message per request";
  const refusalOf = async (replying: Promise<Reply>): Promise<unknown[]> => {
    const reply = await replying;
    const { error } = answerOf(reply);
    return [reply.status, (error as JsonObject)["message"]];
  };
});
