import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import {
  DISCOVERED,
  failure,
  json,
  legacy,
  modern,
  result,
  stream,
  upstream,
  type Script,
} from "./scripted-upstream.js";
import { acknowledged, Streams } from "./streams.js";

const SUBSCRIBABLE = { tools: {}, resources: { subscribe: true, listChanged: true } };
const updated = (uri: string): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/resources/updated",
  params: { uri },
});
const agrees: Script = (seen, res) => json(res, 200, result(seen, {}));

describe("subscriptions to a legacy upstream's resources (R22)", () => {
  async function subscribable(calls: Script = agrees, time = new ManualTime()) {
    const streams = new Streams();
    const sessions = new Set<string>();
    const server = await upstream(legacy(calls, { sessions, capabilities: SUBSCRIBABLE, get: streams.accept }));
    const under = await openLink(server.url, { time });
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    return { ...under, server, streams, sessions, time };
  }

  test("are asked for in the gateway's own session, on whose stream changes are told", async () => {
    const { link, server, streams, told, changed } = await subscribable();
    await link.subscribe("a:1");
    expect(server.of("resources/subscribe")[0]).toMatchObject({
      message: { params: { uri: "a:1" } },
      headers: { "mcp-session-id": "session-1" },
    });
    const unknown: JsonObject = {
      jsonrpc: "2.0",
      method: "notifications/com.example/x",
      params: { any: { thing: 1 } },
    };
    streams.last?.send(updated("a:1"));
    streams.last?.send(unknown);
    streams.last?.send({ jsonrpc: "2.0", method: "notifications/resources/list_changed" });
    await vi.waitFor(() => expect(changed).toEqual(["resources"]));
    expect(told).toEqual([[updated("a:1")], [unknown]]);
    await link.unsubscribe("a:1");
    await link.unsubscribe("a:1");
    expect(server.of("resources/unsubscribe").map(({ message }) => message["params"])).toEqual([{ uri: "a:1" }]);
  });

  test("that are refused are refused with the upstream's code", async () => {
    const { link } = await subscribable((seen, res) => json(res, 200, failure(seen, -32_002, "Resource not found")));
    await expect(link.subscribe("a:1")).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      data: { upstreamCode: -32_002 },
    });
  });

  test("are made anew when the upstream has forgotten the session, and the resources count as changed", async () => {
    const { link, server, streams, sessions, told, changed } = await subscribable();
    await link.subscribe("a:1");
    sessions.clear();
    await link.request("tools/list", {}, { timeoutMs: 1_000, maxBytes: 1_000 });
    await vi.waitFor(() => expect(server.of("resources/subscribe")).toHaveLength(2));
    expect(server.of("resources/subscribe")[1]?.headers["mcp-session-id"]).toBe("session-2");
    // The stream hung on the old session: what was open of it is left, and opened in the new one.
    await vi.waitFor(() => expect(server.of("GET").at(-1)?.headers["mcp-session-id"]).toBe("session-2"));
    await vi.waitFor(() => expect(server.of("GET")[0]?.aborted).toBe(true));
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(0));
    expect(told[0]).toEqual([updated("a:1")]);
    expect(changed).toEqual(expect.arrayContaining(["tools", "resources"]));
    const before = told.length;
    await vi.waitFor(() => expect(streams.open.length).toBeGreaterThan(1));
    streams.last?.send(updated("b:1"));
    await vi.waitFor(() => expect(told.slice(before)).toContainEqual([updated("b:1")]));
  });

  test("a stream that breaks may have missed changes of resources too", async () => {
    const { link, streams, time, told, changed } = await subscribable();
    await link.subscribe("a:1");
    streams.last?.res.end();
    await vi.waitFor(() => expect(time.delays).toEqual([20]));
    await time.advance(20);
    await vi.waitFor(() => expect(told).toEqual([[updated("a:1")]]));
    expect(changed).toEqual(["resources"]);
  });

  test.each([
    ["as bytes", LEGACY_CALLER],
    ["as messages", MODERN_CALLER],
  ])(
    "a change that is told with an answer (%s) is for those who subscribed, not for whoever called",
    async (_, caller) => {
      const { link, told } = await subscribable((seen, res) =>
        stream(res, updated("a:1"), result(seen, { content: [] })),
      );
      const sink = new RecordingSink();
      link.send(toolCall(caller), sink);
      await sink.done;
      expect(told).toEqual([[updated("a:1")]]);
      expect([sink.notifications, sink.text.includes("resources/updated")]).toEqual([[], false]);
    },
  );

  test("an upstream that offers none is not asked", async () => {
    const server = await upstream(legacy(agrees));
    const { link } = await openLink(server.url);
    await expect(link.subscribe("a:1")).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      message: 'Connector "up" does not offer subscriptions to resources',
      data: { upstreamCode: -32_601 },
    });
    await link.unsubscribe("a:1");
    expect(server.methods).not.toContain("resources/subscribe");
    expect(server.methods).not.toContain("GET");
  });
});

describe("subscriptions to a modern upstream's resources (R22)", () => {
  test("change what is listened for: the new stream is acknowledged before the old one is left", async () => {
    const streams = new Streams();
    const server = await upstream(modern(streams.grant, { ...DISCOVERED, capabilities: SUBSCRIBABLE }));
    const { link, told, close } = await openLink(server.url);
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    server.script = modern(streams.accept, { ...DISCOVERED, capabilities: SUBSCRIBABLE });
    const subscribed = Promise.all([link.subscribe("a:1"), link.subscribe("b:1")]);
    await vi.waitFor(() => expect(streams.open).toHaveLength(2));
    const [first, second] = server.of("subscriptions/listen");
    expect(second?.message["params"]).toMatchObject({
      notifications: { resourcesListChanged: true, resourceSubscriptions: ["a:1", "b:1"] },
    });
    expect(first?.aborted).toBe(false);
    streams.open[0]?.send({ jsonrpc: "2.0", method: "notifications/com.example/still" });
    await vi.waitFor(() => expect(told).toHaveLength(1));
    streams.last?.send(acknowledged({ resourcesListChanged: true, resourceSubscriptions: ["a:1", "b:1"] }));
    await subscribed;
    await vi.waitFor(() => expect(first?.aborted).toBe(true));
    streams.last?.send({
      ...updated("a:1"),
      params: { uri: "a:1", _meta: { "io.modelcontextprotocol/subscriptionId": second?.message["id"] } },
    });
    await vi.waitFor(() => expect(told.at(-1)).toEqual([updated("a:1")]));
    expect(second?.aborted).toBe(false);
    await close();
  });

  test("an upstream with nothing else to tell is listened to only for them, and its refusal is theirs", async () => {
    const streams = new Streams();
    const capabilities = { resources: { subscribe: true } };
    const server = await upstream(modern(streams.grant, { ...DISCOVERED, capabilities }));
    const { link } = await openLink(server.url);
    await link.subscribe("a:1");
    expect(server.of("subscriptions/listen")[0]?.message["params"]).toMatchObject({
      notifications: { resourceSubscriptions: ["a:1"] },
    });
    server.script = (seen, res) => json(res, 400, failure(seen, -32_602, "too many"));
    await expect(link.subscribe("b:1")).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      message: 'Connector "up" does not let the gateway listen for changes: error -32602 (upstream text: "too many")',
      data: { upstreamCode: -32_602 },
    });
    server.script = (seen, res) => stream(res, failure(seen, -32_603, "busy"));
    await expect(link.subscribe("c:1")).rejects.toMatchObject({ data: { upstreamCode: -32_603 } });
    expect(server.of("subscriptions/listen")[0]?.aborted).toBe(false);
    await link.unsubscribe("a:1");
    await vi.waitFor(() => expect(server.of("subscriptions/listen")[0]?.aborted).toBe(true));
  });

  test("a subscription that the upstream ends by answering it is opened again", async () => {
    const time = new ManualTime();
    const streams = new Streams();
    const server = await upstream(modern(streams.grant, { ...DISCOVERED, capabilities: SUBSCRIBABLE }));
    const { link, told, changed } = await openLink(server.url, { time });
    await link.subscribe("a:1");
    const [, listen] = server.of("subscriptions/listen");
    streams.last?.send({ jsonrpc: "2.0", id: listen?.message["id"], result: { resultType: "complete" } });
    // The second is how long the ear before is still heard.
    await vi.waitFor(() => expect(time.delays).toEqual([20, 1_000]));
    await time.advance(20);
    await vi.waitFor(() => expect(told).toEqual([[updated("a:1")]]));
    expect(changed).toEqual(["resources"]);
  });

  test("closing ends those that wait to be acknowledged", async () => {
    const streams = new Streams();
    const server = await upstream(modern(streams.accept, { ...DISCOVERED, capabilities: SUBSCRIBABLE }));
    const { link, close } = await openLink(server.url);
    const waiting = expect(link.subscribe("a:1")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await close();
    await waiting;
    await expect(link.subscribe("b:1")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  });
});

describe("whether changes of all lists would be heard of (R6)", () => {
  test.each([
    ["a feature without the claim", { tools: { listChanged: true }, prompts: {} }, { toolsListChanged: true }, false],
    [
      "a claim that is not granted",
      { tools: { listChanged: true }, prompts: { listChanged: true } },
      { toolsListChanged: true },
      false,
    ],
    [
      "all that is declared",
      { tools: { listChanged: true }, prompts: { listChanged: true }, logging: {} },
      { toolsListChanged: true, promptsListChanged: true },
      true,
    ],
  ])("%s", async (_, capabilities, granted, hears) => {
    const streams = new Streams();
    const server = await upstream(modern(streams.accept, { ...DISCOVERED, capabilities }));
    const { link, told } = await openLink(server.url);
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    streams.last?.send(acknowledged(granted));
    streams.last?.send({ jsonrpc: "2.0", method: "notifications/com.example/after" });
    await vi.waitFor(() => expect(told).toHaveLength(1));
    expect(link.hearsChanges).toBe(hears);
  });
});
