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
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
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

type Transport = "http" | "stdio" | "sse";
const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };
const ELICITED = { action: "accept" as const, content: { name: "Ada", topic: "bees" } };
const SAMPLED = { role: "assistant" as const, content: { type: "text" as const, text: "Paris" }, model: "m" };
const ROOTS = { roots: [{ uri: "file:///a", name: "a" }] };

const stdio = (era: ServedEra): { command: string; args: string[] } => ({
  command: process.execPath,
  args: [fileURLToPath(new URL("../../dist/stdio-main.js", import.meta.url)), "--era", era, "--conformance"],
});

interface Serving {
  readonly url: string;
  readonly streams: number;
}

const serving = async (era: ServedEra, transport: Transport): Promise<Serving | undefined> => {
  if (transport === "stdio") return undefined;
  return transport === "http" ? await start({ era, conformance: true }) : await startSse({ conformance: true });
};

async function v1(era: ServedEra, transport: Transport): Promise<ClientV1> {
  const client = new ClientV1({ name: "sdk-v1", version: "0" }, { capabilities: CAPABILITIES });
  client.setRequestHandler(ElicitRequestSchema, () => ELICITED);
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
  client.setRequestHandler(ListRootsRequestSchema, () => ROOTS);
  const server = await serving(era, transport);
  if (server === undefined) await client.connect(new StdioV1(stdio(era)));
  else await client.connect(new (transport === "sse" ? SseV1 : HttpV1)(new URL(server.url)));
  closing.push(async () => client.close());
  // Over HTTP the client opens the stream for what comes outside of its calls by and by.
  if (server !== undefined) await vi.waitFor(() => expect(server.streams).toBe(1));
  return client;
}

async function v2(era: ServedEra, transport: Transport): Promise<ClientV2> {
  const client = new ClientV2(
    { name: "sdk-v2", version: "0" },
    { capabilities: CAPABILITIES, versionNegotiation: { mode: "auto" } },
  );
  client.setRequestHandler("elicitation/create", () => ELICITED);
  client.setRequestHandler("sampling/createMessage", () => SAMPLED);
  client.setRequestHandler("roots/list", () => ROOTS);
  const server = await serving(era, transport);
  if (server === undefined) await client.connect(new StdioV2(stdio(era)));
  else await client.connect(new (transport === "sse" ? SseV2 : HttpV2)(new URL(server.url)));
  closing.push(async () => client.close());
  if (server !== undefined && era === "legacy") await vi.waitFor(() => expect(server.streams).toBe(1));
  return client;
}

describe.each([
  ["v1", v1, "legacy", "http"],
  ["v1", v1, "legacy", "stdio"],
  ["v1", v1, "legacy", "sse"],
  ["v2", v2, "legacy", "http"],
  ["v2", v2, "legacy", "stdio"],
  ["v2", v2, "legacy", "sse"],
  ["v2", v2, "modern", "http"],
  ["v2", v2, "modern", "stdio"],
] as const)("the SDK's client %s", (_, connect, era, transport) => {
  test(`answers what a server of the ${era} era asks over ${transport} (R22)`, async () => {
    const client = await connect(era, transport);
    const ask = async (kind: string, where: string): Promise<unknown> =>
      (await client.callTool({ name: "ask", arguments: { kind, where } }))["structuredContent"];
    for (const where of ["stream", "session"]) {
      expect(await ask("elicitation", where)).toMatchObject({ answer: ELICITED });
      expect(await ask("sampling", where)).toMatchObject({ answer: SAMPLED });
      expect(await ask("roots", where)).toMatchObject({ answer: ROOTS });
    }
    const prompt = await client.getPrompt({ name: "ask-prompt" });
    expect(JSON.stringify(prompt.messages)).toContain("bees");
    const read = await client.readResource({ uri: "fixture://cortex-fixture/ask" });
    expect(JSON.stringify(read.contents)).toContain("file:///a");
    const rounds = await client.callTool({ name: "test_input_required_result_multi_round", arguments: {} });
    expect(JSON.stringify(rounds)).toMatch(/step1.*step2/);
    const reconnected = await client.callTool({ name: "test_reconnection", arguments: {} });
    expect(reconnected).toMatchObject({ content: [{ text: "Reconnection test completed" }] });
  });
});
