import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { failOnLeaks, specAt, startUpstream } from "../../__tests__/support/gateway.js";
import { startTalk, talkTo } from "./stdio-set-up.js";

failOnLeaks();

const call = (name: string, args: JsonObject = {}): JsonObject => ({ name, arguments: args });

async function talkToBoth() {
  const modern = await startUpstream({ era: "modern", extraTools: 3 });
  const legacy = await startUpstream({ era: "legacy" });
  return { modern, legacy, ...(await startTalk([specAt("m", modern.url), specAt("l", legacy.url)])) };
}

describe("a client over a pair of streams (R22)", () => {
  test("of the legacy era initializes, lists and calls upstreams of both eras, each message a line", async () => {
    const { client, gateway } = await talkToBoth();
    expect(await client.initialize("2025-06-18")).toMatchObject({
      result: { protocolVersion: "2025-06-18", serverInfo: { name: "cortex-mcp" } },
    });
    client.request(1, "tools/list");
    client.request("2", "tools/call", call("m__echo", { message: "to modern" }));
    client.request(3, "tools/call", call("l__echo", { message: "to\nlegacy" }));
    client.request(4, "no/such");
    expect(await client.answer(1)).toMatchObject({ result: { tools: expect.any(Array) } });
    expect(JSON.stringify(await client.answer("2"))).toContain("to modern");
    expect(JSON.stringify(await client.answer(3))).toContain("to\\nlegacy");
    expect(await client.answer(4)).toMatchObject({ error: { code: -32_601 } });
    expect(gateway.sessions.size).toBe(1);
    expect(client.lines).toHaveLength(5);
  });

  test("of the modern era needs no session and has no headers: discover, list, call, and what its _meta lacks", async () => {
    const { client, gateway } = await talkToBoth();
    client.modern("d", "server/discover");
    client.modern("l", "tools/list");
    client.modern("m", "tools/call", call("m__echo", { message: "to modern" }));
    client.modern("e", "tools/call", call("l__echo", { message: "to legacy" }));
    client.request("v", "tools/list", { _meta: { "io.modelcontextprotocol/protocolVersion": "2999-01-01" } });
    expect(await client.answer("d")).toMatchObject({ result: { supportedVersions: expect.any(Array) } });
    expect(await client.answer("l")).toMatchObject({ result: { tools: expect.any(Array), ttlMs: expect.any(Number) } });
    expect(JSON.stringify(await client.answer("m"))).toContain("to modern");
    expect(JSON.stringify(await client.answer("e"))).toContain("to legacy");
    expect(await client.answer("v")).toMatchObject({ error: { code: -32_022 } });
    expect(gateway.sessions.size).toBe(0);
  });

  test("of either era hears progress before the answer, and cancels by a message: no answer follows", async () => {
    const { client, modern, legacy } = await talkToBoth();
    await client.initialize();
    client.request(1, "tools/call", { ...call("m__slow", { ms: 20, steps: 3 }), _meta: { progressToken: "p" } });
    await client.answer(1);
    const progress = client.messages.filter(({ method }) => method === "notifications/progress");
    expect(progress.map(({ params }) => params)).toMatchObject([
      { progressToken: "p", progress: 1 },
      { progressToken: "p", progress: 2 },
      { progressToken: "p", progress: 3 },
    ]);
    client.modern(2, "tools/call", call("m__slow", { ms: 60_000 }));
    client.request(3, "tools/call", call("l__slow", { ms: 60_000 }));
    await vi.waitFor(() => expect([modern.calls.inFlight, legacy.calls.inFlight]).toEqual([1, 1]));
    client.notify("notifications/cancelled", { requestId: 2, reason: "enough" });
    client.notify("notifications/cancelled", { requestId: 3 });
    client.notify("notifications/cancelled", { requestId: "unknown" });
    client.notify("notifications/cancelled", {});
    await vi.waitFor(() => expect([modern.calls.inFlight, legacy.calls.inFlight]).toEqual([0, 0]));
    client.request("last", "ping");
    await client.answer("last");
    expect(client.messages.filter(({ id }) => id === 2 || id === 3)).toEqual([]);
  });

  test("hears of changes: the legacy session without asking, a modern subscription until it is cancelled", async () => {
    const upstream = await startUpstream();
    const { client, source } = await startTalk([specAt("a", upstream.url)]);
    await client.initialize();
    client.modern("sub", "subscriptions/listen", { notifications: { toolsListChanged: true } });
    const acknowledged = await client.until(({ method }) => method === "notifications/subscriptions/acknowledged");
    const _meta = { "io.modelcontextprotocol/subscriptionId": "sub" };
    expect(acknowledged["params"]).toMatchObject({ _meta, notifications: { toolsListChanged: true } });
    source.name([specAt("b", upstream.url)]);
    const changes = (): JsonObject[] =>
      client.messages.filter(({ method }) => method === "notifications/tools/list_changed");
    await vi.waitFor(() => expect(changes().length).toBeGreaterThanOrEqual(2), 5_000);
    expect(changes().map(({ params }) => params)).toEqual(expect.arrayContaining([undefined, { _meta }]));
    client.notify("notifications/cancelled", { requestId: "sub" });
    client.request("p", "ping");
    await client.answer("p");
    const before = changes().length;
    source.name([specAt("c", upstream.url)]);
    await vi.waitFor(() => expect(changes().length).toBeGreaterThan(before), 5_000);
    expect(
      changes()
        .slice(before)
        .every(({ params }) => params === undefined),
    ).toBe(true);
    expect(client.messages.filter(({ id }) => id === "sub")).toEqual([]);
  });

  test("that has not initialized may ping, and is told what to do otherwise", async () => {
    const { client } = await startTalk([]);
    client.request(1, "ping");
    client.request(2, "tools/list");
    client.notify("notifications/initialized");
    client.request(3, "initialize", {});
    expect(await client.answer(1)).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect(await client.answer(2)).toMatchObject({
      error: { code: -32_600, message: expect.stringContaining("initialize first") },
    });
    expect(await client.answer(3)).toMatchObject({ error: { code: -32_602 } });
  });

  test("that initializes again begins anew: one session, what was under way in the first is cancelled", async () => {
    const { client, gateway, modern } = await talkToBoth();
    await client.initialize();
    client.request(1, "tools/call", call("m__slow", { ms: 60_000 }));
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(1));
    await client.initialize("2025-03-26", "again");
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(0));
    expect(gateway.sessions.size).toBe(1);
  });

  test("is refused an id that is under way, in whichever era", async () => {
    const { client, modern } = await talkToBoth();
    await client.initialize();
    client.modern("a", "tools/call", call("m__slow", { ms: 60_000 }));
    client.request("b", "tools/call", call("m__slow", { ms: 60_000 }));
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(2));
    for (const send of [() => client.request("a", "ping"), () => client.modern("b", "tools/list")]) send();
    for (const id of ["a", "b"])
      expect(await client.answer(id)).toMatchObject({ error: { code: -32_600, message: /under way/ } });
    client.modern("a", "tools/list");
    await vi.waitFor(() => expect(client.messages.filter(({ id }) => id === "a")).toHaveLength(2));
    expect(modern.calls.inFlight).toBe(2);
  });

  test("sends batches in 2025-03-26, and in no other revision", async () => {
    const { client } = await startTalk([]);
    const batch = [
      { jsonrpc: "2.0", id: 1, method: "ping" },
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { jsonrpc: "2.0", id: 2, method: "tools/list" },
    ];
    client.send([{ jsonrpc: "2.0", id: 0, method: "ping" }]);
    expect(await client.answer(undefined)).toMatchObject({ error: { code: -32_600, message: /batches/ } });
    await client.initialize("2025-03-26");
    client.send(batch);
    expect(await client.answer(1)).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect(await client.answer(2)).toMatchObject({ result: { tools: [] } });
    client.send([]);
    await client.until(({ error }) => JSON.stringify({ error }).includes("1 to 100"));
  });

  test("that writes nonsense is answered, and served on", async () => {
    const { client, metrics } = await startTalk([], { maxMessageBytes: 1_000 });
    client.send("\r\n  \nnonsense\n");
    expect(await client.answer(undefined)).toEqual({
      jsonrpc: "2.0",
      error: { code: -32_700, message: "The message is not JSON" },
    });
    client.send({ jsonrpc: "2.0", id: 1, result: {} });
    client.send(`{"jsonrpc":"2.0","id":"deep","method":"ping","params":${'{"a":'.repeat(70)}1${"}".repeat(71)}\n`);
    client.send({ jsonrpc: "2.0", id: "case", method: "ping", Method: "x" });
    client.send({ jsonrpc: "2.0", id: "long", method: "ping", params: { a: "x".repeat(2_000) } });
    client.request("p", "ping");
    expect(await client.answer("deep")).toMatchObject({ error: { code: -32_600, message: /nested deeper/ } });
    expect(await client.answer("case")).toMatchObject({ error: { code: -32_600, message: /in case only/ } });
    expect(await client.answer("p")).toEqual({ jsonrpc: "2.0", id: "p", result: {} });
    expect(client.messages.filter(({ id }) => id === undefined)).toHaveLength(1);
    expect(client.messages).toContainEqual({
      jsonrpc: "2.0",
      id: "long",
      error: { code: -32_600, message: "The message is larger than 1000 bytes" },
    });
    expect(await metrics.exposition()).toContain('brainwav_mcp_rejected_requests_total{reason="body"} 4');
  });
});

test("whatever bytes come, the client is served on", async () => {
  const { client, input } = await startTalk([], { maxMessageBytes: 200 });
  const rounds = fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 })), async (chunks) => {
    for (const chunk of chunks) input.write(chunk);
    const before = client.lines.length;
    client.send(`\n${JSON.stringify({ jsonrpc: "2.0", id: "alive", method: "ping" })}\n`);
    await vi.waitFor(() =>
      expect(client.messages.slice(before)).toContainEqual({ jsonrpc: "2.0", id: "alive", result: {} }),
    );
  });
  await fc.assert(rounds, { numRuns: 30 });
});

describe("the end of a conversation", () => {
  test("is the end of its input: the session goes, what is under way is cancelled, the output closes", async () => {
    const { client, gateway, modern, conversation } = await talkToBoth();
    await client.initialize();
    client.request(1, "tools/call", call("m__slow", { ms: 60_000 }));
    client.modern(2, "tools/call", call("m__slow", { ms: 60_000 }));
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(2));
    client.end();
    await conversation.ended;
    expect(client.isClosed).toBe(true);
    expect(gateway.sessions.size).toBe(0);
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(0));
    expect(client.messages).toHaveLength(1);
  });

  test("is its output's, too", async () => {
    const { client, gateway, output, conversation } = await startTalk([]);
    await client.initialize();
    output.destroy(new Error("EPIPE"));
    await conversation.ended;
    client.request(1, "ping");
    expect(gateway.sessions.size).toBe(0);
  });

  test("comes when it is drained: what was read is answered, then a farewell, and no more is read", async () => {
    const running = await talkToBoth();
    const { client, conversation } = talkTo(running, { farewell: true });
    await client.initialize();
    client.modern("sub", "subscriptions/listen", { notifications: { toolsListChanged: true } });
    client.request(1, "tools/call", call("m__slow", { ms: 300 }));
    await vi.waitFor(() => expect(running.modern.calls.inFlight).toBe(1));
    const drained = conversation.drain();
    running.gateway.endStreams();
    client.request(2, "ping");
    await drained;
    await client.untilClosed();
    expect(client.messages.slice(-3)).toMatchObject([
      { id: "sub", result: { resultType: "complete" } },
      { id: 1, result: {} },
      { method: "notifications/cortex-mcp/farewell" },
    ]);
  });

  test("that is drained comes at once with an error for what nobody waits for any more", async () => {
    const { client, conversation, modern } = await talkToBoth();
    await client.initialize();
    client.request(1, "tools/call", call("m__slow", { ms: 60_000 }));
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(1));
    const drained = conversation.drain();
    expect(conversation.shutDown(new GatewayError("UPSTREAM_UNAVAILABLE", "the gateway is shutting down"))).toBe(1);
    await drained;
    expect(await client.answer(1)).toMatchObject({ error: { code: -31_001, message: "the gateway is shutting down" } });
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(0));
    await conversation.drain();
    conversation.close();
  });
});

describe("a client that does not read", () => {
  test("is not read from either, its upstreams wait, and it gets everything once it reads", async () => {
    const { client, input, output, gateway } = await talkToBoth();
    client.modern("first", "ping/none");
    await client.answer("first");
    output.pause();
    for (let at = 0; at < 60; at += 1) client.modern(at, "tools/call", call("m__large", { bytes: 1_000_000 }));
    await vi.waitFor(() => expect(input.isPaused()).toBe(true), 10_000);
    client.modern("late", "tools/call", call("m__echo", { message: "late" }));
    // What others get meanwhile is the clock: by then a gateway that does not wait would have taken in everything.
    for (let at = 0; at < 60; at += 1) await gateway.callTool("l__large", { bytes: 1_000_000 });
    expect(output.writableLength).toBeLessThan(16_000_000);
    output.resume();
    for (let at = 0; at < 60; at += 1) expect(await client.answer(at)).toMatchObject({ result: {} });
    expect(JSON.stringify(await client.answer("late"))).toContain("late");
    expect(input.isPaused()).toBe(false);
  });

  test("and is told ever more in spite of that loses its conversation", async () => {
    const { client, output, conversation, logger } = await startTalk([]);
    await client.initialize();
    output.pause();
    output.write("x".repeat(65 * 1024 * 1024));
    client.request(1, "ping");
    await conversation.ended;
    expect(logger.messages("warn")).toEqual(["A client on a stream has stopped reading; its conversation ends"]);
  });
});
