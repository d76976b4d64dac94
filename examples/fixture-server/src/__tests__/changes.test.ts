import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { initialize, modernRequest, openPipe, type Pipe } from "./stdio-pipe.js";
import {
  errorOf,
  legacy,
  modern,
  modernMessage,
  openSession,
  openStream,
  resultOf,
  useFixtureHttp,
} from "./support.js";

const start = useFixtureHttp();
const BASE = "fixture://cortex-fixture";
const COUNTER = `${BASE}/counter`;
const ID = { "io.modelcontextprotocol/subscriptionId": 7 };
const touch = (uri: string): JsonObject => ({ name: "touch", arguments: { uri } });
const toggle = (kind: string, present = true): JsonObject => ({
  name: `toggle-${kind}`,
  arguments: { name: "new", present },
});

describe("subscriptions/listen to everything", () => {
  const listen = (notifications: JsonObject): { method: string; headers: Record<string, string>; body: string } => ({
    method: "POST",
    ...modernMessage("subscriptions/listen", { notifications }),
  });
  const ALL = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };

  test("acknowledges what there is, and tells of each kind of change (R22)", async () => {
    const { url } = await start();
    const resourceSubscriptions = [COUNTER, "fixture://elsewhere/x", `${BASE}/item/1`];
    const stream = await openStream(url, listen({ ...ALL, resourceSubscriptions }));
    for (const params of [touch(COUNTER), touch(`${BASE}/hello`), toggle("resource"), toggle("prompt")]) {
      await modern(url, "tools/call", params);
    }
    expect(resultOf(await modern(url, "prompts/get", { name: "new" }))["messages"]).toHaveLength(1);
    await modern(url, "tools/call", toggle("prompt", false));
    await vi.waitFor(() => {
      expect(stream.messages).toHaveLength(5);
    });
    stream.leave();
    expect(
      stream.messages.map((message) => ("method" in message ? [message.method, message.params] : message)),
    ).toEqual([
      [
        "notifications/subscriptions/acknowledged",
        { _meta: ID, notifications: { ...ALL, resourceSubscriptions: [COUNTER, `${BASE}/item/1`] } },
      ],
      ["notifications/resources/updated", { _meta: ID, uri: COUNTER }],
      ["notifications/resources/list_changed", { _meta: ID }],
      ["notifications/prompts/list_changed", { _meta: ID }],
      ["notifications/prompts/list_changed", { _meta: ID }],
    ]);
    const uri = `${BASE}/toggled/new`;
    expect(resultOf(await modern(url, "resources/read", { uri }))["contents"]).toMatchObject([{ text: "this is new" }]);
  });

  test("grants nothing that the server has not", async () => {
    const { url } = await start({ features: { resources: false, prompts: false } });
    const stream = await openStream(url, listen({ ...ALL, resourceSubscriptions: [COUNTER] }));
    await vi.waitFor(() => {
      expect(stream.messages).toHaveLength(1);
    });
    expect(stream.messages[0]).toMatchObject({ params: { notifications: { toolsListChanged: true } } });
    expect(stream.messages[0]).not.toHaveProperty("params.notifications.resourcesListChanged");
    stream.leave();
  });

  test.each([["one"], [[7]], [{}]])("a resourceSubscriptions of %j is refused", async (resourceSubscriptions) => {
    const { url } = await start();
    const answer = await modern(url, "subscriptions/listen", { notifications: { resourceSubscriptions } });
    expect(errorOf(answer)["code"]).toBe(-32_602);
  });
});

describe("a legacy session hears of changes on its GET stream", () => {
  test("of lists always, of a resource from resources/subscribe to resources/unsubscribe, and no other session does (R22)", async () => {
    const { url } = await start();
    const sessions = [await openSession(url), await openSession(url)] as const;
    const [mine, other] = await Promise.all(
      sessions.map((headers) =>
        openStream(url, { method: "GET", headers: { ...headers, accept: "text/event-stream" } }),
      ),
    );
    const ask = async (method: string, params: JsonObject): Promise<JsonObject> =>
      resultOf(await legacy(url, { id: 1, method, params }, sessions[0]));
    await ask("tools/call", touch(COUNTER));
    expect(await ask("resources/subscribe", { uri: COUNTER })).toEqual({});
    await ask("tools/call", touch(COUNTER));
    expect(await ask("resources/unsubscribe", { uri: COUNTER })).toEqual({});
    await ask("tools/call", touch(COUNTER));
    await ask("tools/call", toggle("resource"));
    await ask("tools/call", toggle("prompt"));
    const lists = [
      { jsonrpc: "2.0", method: "notifications/resources/list_changed" },
      { jsonrpc: "2.0", method: "notifications/prompts/list_changed" },
    ];
    await vi.waitFor(() => {
      expect(other?.messages).toEqual(lists);
      expect(mine?.messages).toEqual([
        { jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: COUNTER } },
        ...lists,
      ]);
    });
    mine?.leave();
    other?.leave();
  });

  test("a subscription to nothing is refused", async () => {
    const { url } = await start();
    const session = await openSession(url);
    const code = async (params: JsonObject): Promise<unknown> =>
      errorOf(await legacy(url, { id: 1, method: "resources/subscribe", params }, session))["code"];
    expect(await code({ uri: "fixture://elsewhere/x" })).toBe(-32_002);
    expect(await code({})).toBe(-32_602);
  });
});

describe("over stdio", () => {
  const call = async (pipe: Pipe, id: number, params: JsonObject): Promise<void> => {
    pipe.send({ id, method: "tools/call", params });
    await pipe.answerTo(id);
  };

  test("a legacy client hears of lists, and of the resource it watches (R22)", async () => {
    const pipe = openPipe();
    pipe.send({ id: "early", method: "resources/list" });
    pipe.send(initialize());
    expect(await pipe.answerTo("early")).toMatchObject({ error: { code: -32_602 } });
    pipe.send({ method: "notifications/initialized" });
    await call(pipe, 1, touch(COUNTER));
    pipe.send({ id: 2, method: "resources/subscribe", params: { uri: COUNTER } });
    for (const [id, params] of [touch(COUNTER), toggle("resource"), toggle("prompt")].entries()) {
      await call(pipe, 10 + id, params);
    }
    expect(pipe.messages.filter(({ method }) => method !== undefined)).toEqual([
      { jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: COUNTER } },
      { jsonrpc: "2.0", method: "notifications/resources/list_changed" },
      { jsonrpc: "2.0", method: "notifications/prompts/list_changed" },
    ]);
  });

  test("a modern subscription hears of them under its id", async () => {
    const pipe = openPipe();
    const notifications = { promptsListChanged: true, resourceSubscriptions: [COUNTER] };
    pipe.send(modernRequest("s", "subscriptions/listen", { notifications }));
    for (const [id, params] of [touch(COUNTER), toggle("resource"), toggle("prompt")].entries()) {
      pipe.send(modernRequest(id, "tools/call", params));
    }
    await pipe.answerTo(2);
    const _meta = { "io.modelcontextprotocol/subscriptionId": "s" };
    expect(pipe.messages.filter(({ method }) => method !== undefined).map(({ params }) => params)).toEqual([
      { _meta, notifications },
      { _meta, uri: COUNTER },
      { _meta },
    ]);
    pipe.input.end();
    await pipe.served;
  });
});
