import { fileURLToPath } from "node:url";
import {
  Client as ClientV2,
  SSEClientTransport as SseV2,
  StreamableHTTPClientTransport as HttpV2,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as SseV1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ServedEra } from "../http/start-fixture-http.js";
import { useFixtureHttp, useFixtureSse } from "./support.js";

const start = useFixtureHttp();
const startSse = useFixtureSse();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const COUNTER = "fixture://cortex-fixture/counter";
const stdio = (era: ServedEra): { command: string; args: string[] } => ({
  command: process.execPath,
  args: [fileURLToPath(new URL("../../dist/stdio-main.js", import.meta.url)), "--era", era],
});

/** Either client, connected: what they have is the same here, but for how they are told to listen. */
interface Connected {
  readonly client: ClientV1 | ClientV2;
  /** What came unasked: the method of a notification, the URI of an update, the text of a log message. */
  readonly heard: string[];
  /** Asks for every notification there is, and waits until they can come. */
  listen(): Promise<void>;
}

type Transport = "http" | "stdio" | "sse";

/** A server over HTTP, with the streams that its clients hold. */
const serving = async (era: ServedEra, transport: "http" | "sse"): Promise<{ url: string; readonly streams: number }> =>
  transport === "http" ? await start({ era }) : await startSse();

/** A legacy client opens the stream for notifications by and by. */
const untilListening = async (server: { readonly streams: number } | undefined): Promise<void> => {
  if (server !== undefined) await vi.waitFor(() => expect(server.streams).toBe(1));
};

async function v1(era: ServedEra, transport: Transport): Promise<Connected> {
  const client = new ClientV1({ name: "sdk-v1", version: "0" });
  const server = transport === "stdio" ? undefined : await serving(era, transport);
  if (server === undefined) await client.connect(new StdioV1(stdio(era)));
  else await client.connect(new (transport === "sse" ? SseV1 : HttpV1)(new URL(server.url)));
  closing.push(async () => client.close());
  const heard: string[] = [];
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
  client.setNotificationHandler(ResourceListChangedNotificationSchema, ({ method }) => void heard.push(method));
  client.setNotificationHandler(PromptListChangedNotificationSchema, ({ method }) => void heard.push(method));
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(String(params.data)));
  return {
    client,
    heard,
    listen: async () => {
      await untilListening(server);
      await client.subscribeResource({ uri: COUNTER });
      await client.setLoggingLevel("info");
    },
  };
}

async function v2(era: ServedEra, transport: Transport): Promise<Connected> {
  const client = new ClientV2({ name: "sdk-v2", version: "0" }, { versionNegotiation: { mode: "auto" } });
  const server = transport === "stdio" ? undefined : await serving(era, transport);
  if (server === undefined) await client.connect(new StdioV2(stdio(era)));
  else await client.connect(new (transport === "sse" ? SseV2 : HttpV2)(new URL(server.url)));
  closing.push(async () => client.close());
  const heard: string[] = [];
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => void heard.push(params.uri));
  client.setNotificationHandler("notifications/resources/list_changed", ({ method }) => void heard.push(method));
  client.setNotificationHandler("notifications/prompts/list_changed", ({ method }) => void heard.push(method));
  client.setNotificationHandler("notifications/message", ({ params }) => void heard.push(String(params.data)));
  return {
    client,
    heard,
    listen: async () => {
      if (client.getProtocolEra() === "legacy") {
        await untilListening(server);
        await client.subscribeResource({ uri: COUNTER });
        await client.setLoggingLevel("info");
        return;
      }
      await client.listen({ resourcesListChanged: true, promptsListChanged: true, resourceSubscriptions: [COUNTER] });
    },
  };
}

describe.each([
  ["v1", v1, "legacy", "http", "legacy"],
  ["v1", v1, "legacy", "stdio", "legacy"],
  ["v1", v1, "legacy", "sse", "legacy"],
  ["v2", v2, "legacy", "http", "legacy"],
  ["v2", v2, "modern", "http", "modern"],
  ["v2", v2, "legacy", "stdio", "legacy"],
  ["v2", v2, "modern", "stdio", "modern"],
  ["v2", v2, "legacy", "sse", "legacy"],
] as const)("the SDK's client %s", (_, connect, served, transport, era) => {
  test(`sees the whole surface of ${served} over ${transport} (R22)`, async () => {
    const { client, heard, listen } = await connect(served, transport);
    const { resources } = await client.listResources();
    expect(resources.map(({ name }) => name)).toEqual(["ask", "counter", "hello", "pair", "pixel", "private"]);
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
    const read = await client.readResource({ uri: "fixture://cortex-fixture/pair" });
    expect(read.contents).toMatchObject([{ text: "ünïcödé ✓ 世界" }, { blob: "AAEC/w==" }]);
    const item = await client.readResource({ uri: "fixture://cortex-fixture/item/7" });
    expect(item.contents).toMatchObject([{ text: "item 7 of cortex-fixture" }]);
    await expect(client.readResource({ uri: "fixture://elsewhere/x" })).rejects.toMatchObject({
      message: expect.stringContaining("Resource not found") as string,
    });

    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["ask-prompt", "greeting", "picture"]);
    const greeting = await client.getPrompt({ name: "greeting", arguments: { name: "Ada" } });
    expect(greeting.messages[0]).toMatchObject({ content: { text: "Write a friendly greeting for Ada." } });
    expect((await client.getPrompt({ name: "picture" })).messages).toHaveLength(2);
    const { completion } = await client.complete({
      ref: { type: "ref/prompt", name: "greeting" },
      argument: { name: "tone", value: "f" },
      context: { arguments: { name: "Dr. Curie" } },
    });
    expect(completion).toEqual({ values: ["formal"], total: 1, hasMore: false });

    await listen();
    await client.callTool({ name: "touch", arguments: {} });
    await client.callTool({ name: "toggle-resource", arguments: { name: "new", present: true } });
    await client.callTool({ name: "toggle-prompt", arguments: { name: "new", present: true } });
    const asked = era === "modern" ? { _meta: { "io.modelcontextprotocol/logLevel": "info" } } : {};
    await client.callTool({ name: "log", arguments: { level: "info", text: "said" }, ...asked });
    await vi.waitFor(() => {
      // Over HTTP what is said about a call comes on another stream than what is said about changes.
      expect(heard.toSorted()).toEqual([
        COUNTER,
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "said",
      ]);
    });
    expect((await client.readResource({ uri: COUNTER })).contents).toMatchObject([{ text: "1" }]);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toContain("new");
    expect((await client.listResources()).resources.map(({ name }) => name)).toContain("new");
  });
});
