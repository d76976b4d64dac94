import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  type ClientCapabilities,
} from "@modelcontextprotocol/sdk/types.js";
import { onTestFinished } from "vitest";

/** Where a client connects: each member as one of the ways needs it. */
export interface AskingGateway {
  readonly url: string;
  readonly sse: string;
  readonly stdio: { readonly command: string; readonly args: string[]; readonly env: Record<string, string> };
}

/** The ways in which the v1 SDK's client connects. */
export const WAYS = {
  HTTP: ({ url }: AskingGateway) => new StreamableHTTPClientTransport(new URL(url)),
  stdio: ({ stdio }: AskingGateway) => new StdioClientTransport({ ...stdio, stderr: "ignore" }),
  "/sse": ({ sse }: AskingGateway) => new SSEClientTransport(new URL(sse)),
} as const;

/** How a client connects. */
export type Way = keyof typeof WAYS;

/** What a client that can be asked everything declares. */
const EVERYTHING: ClientCapabilities = {
  roots: { listChanged: true },
  sampling: { tools: {} },
  elicitation: { form: {}, url: {} },
};

/** A legacy SDK client that can be asked, and what it was asked. */
export interface AskingClient {
  readonly client: Client;
  readonly name: string;
  readonly asked: readonly string[];
  /** Set to have elicitations wait until it resolves. */
  readonly hold: { until?: Promise<unknown>; aborted: number };
  /** Calls the fixture's tool that asks back. @returns its structured content */
  ask(tool: string, args: Record<string, unknown>, options?: { readonly signal?: AbortSignal }): Promise<unknown>;
}

/** Connects one whose answers tell its name; closed at the end of the test. */
export async function askingClient(
  gateway: AskingGateway,
  way: Way,
  name: string,
  capabilities: ClientCapabilities = EVERYTHING,
): Promise<AskingClient> {
  const client = new Client({ name, version: "1" }, { capabilities });
  const asked: string[] = [];
  const hold: AskingClient["hold"] = { aborted: 0 };
  if (capabilities.elicitation !== undefined)
    client.setRequestHandler(ElicitRequestSchema, async ({ params }, { signal }) => {
      asked.push(`elicitation/create ${params.message}`);
      signal.addEventListener("abort", () => {
        hold.aborted += 1;
      });
      await hold.until;
      return params.mode === "url"
        ? { action: "accept" }
        : { action: "accept", content: { name: `${name} to ${params.message}` } };
    });
  if (capabilities.sampling !== undefined)
    client.setRequestHandler(CreateMessageRequestSchema, async () => {
      asked.push("sampling/createMessage");
      return { role: "assistant", model: name, content: { type: "text", text: "Paris" } };
    });
  if (capabilities.roots !== undefined)
    client.setRequestHandler(ListRootsRequestSchema, async () => {
      asked.push("roots/list");
      return { roots: [{ uri: `file:///${name}` }] };
    });
  const transport = WAYS[way](gateway);
  await client.connect(transport);
  onTestFinished(async () => {
    if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession().catch(() => {});
    await client.close();
  });
  return {
    client,
    name,
    asked,
    hold,
    ask: async (tool, args, options = {}) => {
      const { structuredContent } = await client.callTool({ name: tool, arguments: args }, undefined, {
        timeout: 30_000,
        ...options,
      });
      return structuredContent;
    },
  };
}
