import { once } from "node:events";
import { connect } from "node:net";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import type { FixtureSse } from "../http/start-fixture-sse.js";
import { initializeMessage, openStream, raw, useFixtureSse, type LiveStream, type RawAnswer } from "./support.js";

const start = useFixtureSse();
const JSON_TYPE = { "content-type": "application/json" };
const COUNTER = "fixture://cortex-fixture/counter";

/** A client with its stream. */
interface SseClient {
  readonly stream: LiveStream;
  readonly messages: () => JsonObject[];
  post(message: JsonObject, headers?: Readonly<Record<string, string>>): Promise<RawAnswer>;
  answerTo(id: number | string): Promise<JsonObject>;
}

async function openClient({ url }: FixtureSse): Promise<SseClient> {
  const stream = await openStream(url, { method: "GET", headers: { accept: "text/event-stream" } });
  const endpoint = await vi.waitFor(() => {
    const said = stream.endpoint();
    if (said === undefined) throw new Error("no endpoint yet");
    return new URL(said, url).href;
  });
  const messages = (): JsonObject[] => stream.messages.map((message) => ({ ...message }) as JsonObject);
  return {
    stream,
    messages,
    post: async (message, headers = {}) =>
      await raw(endpoint, "POST", { ...JSON_TYPE, ...headers }, JSON.stringify({ jsonrpc: "2.0", ...message })),
    answerTo: async (id) =>
      await vi.waitFor(() => {
        const found = messages().find((message) => message["id"] === id);
        if (found === undefined) throw new Error(`no answer to ${id}`);
        return found;
      }),
  };
}

async function openReady(server: FixtureSse, revision = "2024-11-05"): Promise<SseClient> {
  const client = await openClient(server);
  await client.post(initializeMessage(revision));
  await client.answerTo(0);
  await client.post({ method: "notifications/initialized" });
  return client;
}

describe("HTTP+SSE of 2024-11-05 (R22)", () => {
  test.each([["2024-11-05"], ["2025-03-26"], ["2025-06-18"], ["2025-11-25"]])(
    "answers come on the stream, POSTs are taken with 202, in revision %s",
    async (revision) => {
      const server = await start();
      const client = await openReady(server, revision);
      expect([client.stream.status, client.stream.contentType]).toEqual([200, "text/event-stream"]);
      expect(client.stream.text()).toMatch(/^event: endpoint\ndata: \/messages\?sessionId=[\da-f-]{36}\n\n/);
      expect(await client.answerTo(0)).toMatchObject({
        result: { protocolVersion: revision, capabilities: { resources: { subscribe: true }, logging: {} } },
      });
      const params = { name: "whoami", arguments: {} };
      expect(await client.post({ id: "w", method: "tools/call", params }, { "x-mine": "1" })).toMatchObject({
        status: 202,
        text: "",
      });
      const who = ((await client.answerTo("w"))["result"] as JsonObject)["structuredContent"] as JsonObject;
      expect(who).toMatchObject({ era: "legacy", protocolVersion: revision, session: true });
      expect(who["headerNames"]).toContain("x-mine");
      expect(server.requests.method("tools/call")).toBe(1);
      expect(server.calls.completed).toBe(1);
      client.stream.leave();
    },
  );

  test("notifications come on the stream: progress, log messages, changes; a client's response is let be", async () => {
    const client = await openReady(await start());
    await client.post({ id: 1, method: "logging/setLevel", params: { level: "info" } });
    await client.post({ id: 2, method: "resources/subscribe", params: { uri: COUNTER } });
    await client.answerTo(2);
    await client.post({ id: 99, result: {} });
    const slow = { name: "slow", arguments: { ms: 1, steps: 1 }, _meta: { progressToken: "p" } };
    const calls = [slow, { name: "touch" }, { name: "toggle", arguments: { name: "new", present: true } }];
    for (const [index, params] of calls.entries()) {
      await client.post({ id: 10 + index, method: "tools/call", params });
      await client.answerTo(10 + index);
    }
    expect(client.messages().flatMap(({ method }) => method ?? [])).toEqual([
      "notifications/message",
      "notifications/progress",
      "notifications/resources/updated",
      "notifications/tools/list_changed",
    ]);
    client.stream.leave();
  });

  test("two clients have a stream each, and neither sees the other's answers", async () => {
    const server = await start();
    const [one, two] = [await openReady(server), await openReady(server)];
    expect(server.streams).toBe(2);
    await one.post({ id: "mine", method: "ping" });
    await one.answerTo("mine");
    expect(two.messages()).toHaveLength(1);
    one.stream.leave();
    two.stream.leave();
    await vi.waitFor(() => {
      expect(server.streams).toBe(0);
    });
  });

  test("notifications/cancelled stops a call, and so does the client that goes away", async () => {
    const server = await start();
    const client = await openReady(server);
    const call = { method: "tools/call", params: { name: "slow", arguments: { ms: 600_000 } } };
    await client.post({ id: 1, ...call });
    await client.post({ id: 2, ...call });
    expect(server.calls.inFlight).toBe(2);
    await client.post({ method: "notifications/cancelled", params: { requestId: 1 } });
    expect(server.calls).toMatchObject({ inFlight: 1, cancelled: 1 });
    client.stream.leave();
    await vi.waitFor(() => {
      expect(server.calls).toMatchObject({ inFlight: 0, cancelled: 2 });
    });
    expect(client.messages()).toHaveLength(1);
  });

  test("before initialize only a ping is answered", async () => {
    const client = await openClient(await start());
    for (const [id, method] of ["ping", "tools/list", "server/discover"].entries()) await client.post({ id, method });
    expect(await client.answerTo(0)).toMatchObject({ result: {} });
    expect(await client.answerTo(1)).toMatchObject({ error: { code: -32_600 } });
    expect(await client.answerTo(2)).toMatchObject({ error: { code: -32_601 } });
    client.stream.leave();
  });

  test("large answers queue up behind one another, and none is lost", async () => {
    const client = await openReady(await start());
    for (const id of [1, 2, 3]) {
      await client.post({ id, method: "tools/call", params: { name: "large", arguments: { bytes: 3_000_000 } } });
    }
    for (const id of [1, 2, 3]) expect(await client.answerTo(id)).toHaveProperty("result");
    client.stream.leave();
  });
});

describe("what is refused", () => {
  test("other methods and paths; so a client of Streamable HTTP sees that it has to fall back", async () => {
    const { url } = await start();
    const at = async (method: string, path: string): Promise<unknown> => {
      const { status, headers } = await raw(new URL(path, url).href, method, JSON_TYPE, method === "POST" ? "{}" : "");
      return [status, headers.allow];
    };
    expect(await at("POST", "/sse")).toEqual([405, "GET"]);
    expect(await at("DELETE", "/sse?a=b")).toEqual([405, "GET"]);
    expect(await at("GET", "/messages")).toEqual([405, "POST"]);
    expect(await at("POST", "/mcp")).toEqual([404, undefined]);
    const client = new Client({ name: "v1", version: "0" });
    await expect(client.connect(new StreamableHTTPClientTransport(new URL(url)))).rejects.toMatchObject({ code: 405 });
  });

  test("messages without a stream, and bodies that are no message", async () => {
    const { url } = await start({ maxBodyBytes: 100 });
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const post = async (path: string, body: string, headers: Record<string, string> = JSON_TYPE): Promise<number> =>
      (await raw(new URL(path, url).href, "POST", headers, body)).status;
    expect(await post("/messages", ping)).toBe(400);
    expect(await post("/messages?sessionId=nobody", ping)).toBe(404);
    expect(await post("/messages", ping, { "content-type": "text/plain" })).toBe(415);
    expect(await post("/messages", "{")).toBe(400);
    expect(await post("/messages", "[]")).toBe(400);
    expect(await post("/messages", ping.padEnd(101))).toBe(413);
  });

  test.each([[{ host: "evil.example" }], [{ origin: "http://evil.example" }]])(
    "%j alone, on the stream and on messages",
    async (headers) => {
      const server = await start();
      expect((await raw(server.url, "GET", headers)).status).toBe(403);
      expect(
        (await raw(new URL("/messages", server.url).href, "POST", { ...JSON_TYPE, ...headers }, "{}")).status,
      ).toBe(403);
      expect(server.streams).toBe(0);
    },
  );
});

describe("how it lives", () => {
  test("it keeps a quiet stream open with comments", async () => {
    const client = await openClient(await start({ keepAliveMs: 5 }));
    await vi.waitFor(() => {
      expect(client.stream.text().split(": keep-alive\n\n").length).toBeGreaterThan(2);
    });
    client.stream.leave();
  });

  test("endStreams ends what is open, calls too; the next message is 404, and a new stream works", async () => {
    const server = await start();
    const client = await openReady(server);
    await client.post({ id: 1, method: "tools/call", params: { name: "slow", arguments: { ms: 600_000 } } });
    await server.endStreams();
    expect(await client.stream.ended).toBe(true);
    expect(server.streams).toBe(0);
    expect(server.calls.cancelled).toBe(1);
    expect((await client.post({ id: 2, method: "ping" })).status).toBe(404);
    const again = await openReady(server);
    again.stream.leave();
  });

  test("close ends streams in order, frees the port, and leaves no timer (R17)", async () => {
    const timers = new ManualTime();
    const server = await start({ timers });
    const client = await openClient(server);
    await Promise.all([server.close(), server.close()]);
    expect(await client.stream.ended).toBe(true);
    expect(timers.pending).toBe(0);
    await expect(raw(server.url, "GET", {})).rejects.toThrow("ECONNREFUSED");
    expect((await start({ port: server.port })).port).toBe(server.port);
  });

  test("a reader that takes nothing is cut off by the close", async () => {
    const timers = new ManualTime();
    const server = await start({ timers });
    const client = connect(server.port, "127.0.0.1");
    client.write("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const [head] = (await once(client, "data")) as [Buffer];
    client.pause();
    const path = await vi.waitFor(() => {
      const found = /\/messages\S+/.exec(head.toString() + String(client.read() ?? ""))?.[0];
      if (found === undefined) throw new Error("no endpoint yet");
      return found;
    });
    const large = { id: 1, method: "tools/call", params: { name: "large", arguments: { bytes: 64 * 1024 * 1024 } } };
    const messages = new URL(path, server.url).href;
    await raw(messages, "POST", JSON_TYPE, JSON.stringify({ jsonrpc: "2.0", ...initializeMessage("2024-11-05") }));
    await raw(messages, "POST", JSON_TYPE, JSON.stringify({ jsonrpc: "2.0", ...large }));
    await vi.waitFor(() => {
      expect(server.calls.completed).toBe(1);
    });
    client.on("error", () => {});
    const closed = server.close();
    await timers.advance(1_000);
    await closed;
    expect(server.streams).toBe(0);
    client.destroy();
  });
});
