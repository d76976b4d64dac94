import { describe, expect, test, vi } from "vitest";
import {
  errorOf,
  json,
  META_FIELDS,
  messagesOf,
  modern,
  modernMessage,
  openStream,
  raw,
  resultOf,
  useFixtureHttp,
} from "./support.js";

const start = useFixtureHttp();

describe("the modern era over HTTP (R22)", () => {
  test("server/discover tells revisions, capabilities, identity and how long that holds", async () => {
    const { url } = await start({ name: "named", ttlMs: 5 });
    const answer = await modern(url, "server/discover");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["mcp-session-id"]).toBeUndefined();
    expect(json(answer)).toEqual({
      jsonrpc: "2.0",
      id: 7,
      result: {
        resultType: "complete",
        supportedVersions: ["2026-07-28"],
        capabilities: {
          tools: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          prompts: { listChanged: true },
          completions: {},
          logging: {},
        },
        instructions: expect.any(String) as string,
        ttlMs: 5,
        cacheScope: "public",
        _meta: { "io.modelcontextprotocol/serverInfo": { name: "named", version: "1.0.0" } },
      },
    });
  });

  test("tools/list carries its caching hints on every page and gives each tool once, in order", async () => {
    const { url } = await start({ extraTools: 7, pageSize: 6 });
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = resultOf(await modern(url, "tools/list", cursor === undefined ? {} : { cursor }));
      expect(page).toMatchObject({ resultType: "complete", ttlMs: 60_000, cacheScope: "public" });
      names.push(...(page["tools"] as { name: string }[]).map(({ name }) => name));
      cursor = page["nextCursor"] as string | undefined;
    } while (cursor !== undefined);
    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(14 + 7);
    expect(names).toContain("extra_00006");
  });

  test.each([["!"], [{ a: 1 }], [7]])("a cursor that is none of ours is refused: %j", async (cursor) => {
    const { url } = await start();
    expect(errorOf(await modern(url, "tools/list", { cursor }))["code"]).toBe(-32_602);
  });

  test("tools/call answers in plain JSON when nothing goes ahead of the answer", async () => {
    const { url, requests, calls } = await start();
    const answer = await modern(url, "tools/call", { name: "echo", arguments: { message: "hello" } });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(resultOf(answer)).toMatchObject({
      resultType: "complete",
      content: [{ type: "text", text: "hello" }],
      structuredContent: { message: "hello" },
    });
    expect(requests.total).toBe(1);
    expect(requests.http.POST).toBe(1);
    expect(requests.method("tools/call")).toBe(1);
    expect(calls).toMatchObject({ started: 1, completed: 1, cancelled: 0, inFlight: 0 });
  });

  test("progress goes ahead of the answer on an event stream of its own", async () => {
    const { url } = await start();
    const params = { name: "slow", arguments: { ms: 3, steps: 3 }, _meta: { ...META_FIELDS, progressToken: "p" } };
    const answer = await modern(url, "tools/call", params);
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    expect(answer.headers["x-accel-buffering"]).toBe("no");
    const messages = messagesOf(answer.text);
    expect(messages.map(({ method, id }) => method ?? id)).toEqual([...Array(3).fill("notifications/progress"), 7]);
    expect(messages[1]?.["params"]).toEqual({ progressToken: "p", progress: 2, total: 3, message: "step 2 of 3" });
  });

  test("log messages come at the severity asked for, and never unasked", async () => {
    const { url } = await start();
    const call = { name: "slow", arguments: { ms: 0 } };
    const ask = (level: string): Record<string, unknown> => ({
      ...META_FIELDS,
      "io.modelcontextprotocol/logLevel": level,
    });
    const unasked = await modern(url, "tools/call", call);
    expect(unasked.headers["content-type"]).toBe("application/json");
    const asked = await modern(url, "tools/call", { ...call, _meta: ask("info") as never });
    expect(messagesOf(asked.text)[0]).toMatchObject({ method: "notifications/message", params: { level: "info" } });
    const worse = await modern(url, "tools/call", { ...call, _meta: ask("error") as never });
    expect(worse.headers["content-type"]).toBe("application/json");
    const none = await modern(url, "tools/call", { ...call, _meta: ask("loud") as never });
    expect(errorOf(none)["code"]).toBe(-32_602);
  });

  test("--json-only drops notifications and has no subscriptions", async () => {
    const { url } = await start({ jsonOnly: true });
    const params = { name: "slow", arguments: { ms: 1 }, _meta: { ...META_FIELDS, progressToken: 1 } };
    expect((await modern(url, "tools/call", params)).headers["content-type"]).toBe("application/json");
    expect(resultOf(await modern(url, "server/discover"))["capabilities"]).toEqual({
      tools: {},
      resources: {},
      prompts: {},
      completions: {},
    });
    const refused = await modern(url, "subscriptions/listen", { notifications: {} });
    expect(refused.status).toBe(404);
    expect(errorOf(refused)["code"]).toBe(-32_601);
  });

  test("a client that goes away cancels its call, with or without a stream", async () => {
    const { url, calls } = await start();
    for (const _meta of [META_FIELDS, { ...META_FIELDS, progressToken: 1 }]) {
      const cancelledBefore = calls.cancelled;
      const leaving = new AbortController();
      const message = modernMessage("tools/call", { name: "slow", arguments: { ms: 60_000, steps: 6_000 }, _meta });
      const gone = fetch(url, { method: "POST", ...message, signal: leaving.signal }).catch(() => "gone");
      await vi.waitFor(() => {
        expect(calls.inFlight).toBe(1);
      });
      leaving.abort();
      await gone;
      await vi.waitFor(() => {
        expect(calls).toMatchObject({ cancelled: cancelledBefore + 1, inFlight: 0 });
      });
    }
    const seen = resultOf(await modern(url, "tools/call", { name: "cancelled", arguments: {} }));
    expect(seen["structuredContent"]).toEqual({ started: 2, completed: 0, cancelled: 2, inFlight: 0 });
  });

  test("a notification is taken without an answer; a response is refused", async () => {
    const { url, requests } = await start();
    const { headers } = modernMessage("notifications/cancelled", {});
    const taken = await raw(url, "POST", headers, '{"jsonrpc":"2.0","method":"notifications/cancelled"}');
    expect(taken).toMatchObject({ status: 202, text: "" });
    expect(requests.method("notifications/cancelled")).toBe(1);
    const refused = await raw(url, "POST", headers, '{"jsonrpc":"2.0","id":1,"result":{}}');
    expect(refused.status).toBe(400);
    expect(json(refused)).toEqual({
      jsonrpc: "2.0",
      error: { code: -32_600, message: expect.any(String) as string },
    });
  });

  test("a method it does not implement is 404 with −32601, also one called constructor", async () => {
    const { url } = await start();
    for (const method of ["tasks/list", "constructor", "ping", "resources/subscribe", "logging/setLevel"]) {
      const answer = await modern(url, method);
      expect([answer.status, errorOf(answer)["code"], json(answer)["id"]]).toEqual([404, -32_601, 7]);
    }
  });

  test("an unknown tool and malformed parameters are −32602 under status 200", async () => {
    const { url } = await start();
    for (const params of [{ name: "nobody" }, { name: "echo", arguments: [1] }, {}]) {
      const answer = await modern(url, "tools/call", params, "name" in params ? {} : { "mcp-name": "x" });
      expect([answer.status, errorOf(answer)["code"]]).toEqual([200, -32_602]);
    }
  });
});

describe("subscriptions/listen over HTTP", () => {
  const listen = (notifications: object): { method: string; headers: Record<string, string>; body: string } => ({
    method: "POST",
    ...modernMessage("subscriptions/listen", { notifications: notifications as never }),
  });
  const idMeta = { "io.modelcontextprotocol/subscriptionId": 7 };

  test("acknowledges what it honours, tells of changes, and ends with a result when the server stops", async () => {
    const server = await start();
    const stream = await openStream(server.url, listen({ toolsListChanged: true, tasksListChanged: true }));
    await modern(server.url, "tools/call", { name: "toggle", arguments: { name: "new", present: true } });
    await vi.waitFor(() => {
      expect(stream.messages).toHaveLength(2);
    });
    await server.close();
    expect(await stream.ended).toBe(true);
    expect(stream.messages).toEqual([
      {
        jsonrpc: "2.0",
        method: "notifications/subscriptions/acknowledged",
        params: { _meta: idMeta, notifications: { toolsListChanged: true } },
      },
      { jsonrpc: "2.0", method: "notifications/tools/list_changed", params: { _meta: idMeta } },
      {
        jsonrpc: "2.0",
        id: 7,
        result: {
          resultType: "complete",
          _meta: { ...idMeta, "io.modelcontextprotocol/serverInfo": { name: "cortex-fixture", version: "1.0.0" } },
        },
      },
    ]);
  });

  test("sends nothing that was not asked for", async () => {
    const server = await start();
    const quiet = await openStream(server.url, listen({}));
    const loud = await openStream(server.url, listen({ toolsListChanged: true }));
    await modern(server.url, "tools/call", { name: "toggle", arguments: { name: "new", present: true } });
    await vi.waitFor(() => {
      expect(loud.messages).toHaveLength(2);
    });
    expect(quiet.messages).toEqual([
      expect.objectContaining({ params: { _meta: idMeta, notifications: {} } }) as object,
    ]);
    quiet.leave();
    loud.leave();
  });

  test("keeps a quiet stream open with comments", async () => {
    const server = await start({ keepAliveMs: 5 });
    const stream = await openStream(server.url, listen({}));
    await vi.waitFor(() => {
      expect(stream.text().split(": keep-alive\n\n").length).toBeGreaterThan(2);
    });
    expect(stream.messages).toHaveLength(1);
  });

  test("without a filter it is refused", async () => {
    const { url } = await start();
    expect(errorOf(await modern(url, "subscriptions/listen"))["code"]).toBe(-32_602);
  });
});
