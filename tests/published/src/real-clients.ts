import {
  Client as ModernSdkClient,
  StreamableHTTPClientTransport as ModernSdkTransport,
} from "@modelcontextprotocol/client";
import { Client as LegacySdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacySdkTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { CallOutcome } from "./expected.js";

/** A published client, whichever SDK it is of. */
export interface RealClient {
  /** The revision it negotiated. */
  readonly revision: string | undefined;
  /** The names of all tools, of all pages. */
  readonly tools: () => Promise<readonly string[]>;
  readonly call: (name: string, args: Readonly<Record<string, unknown>>) => Promise<CallOutcome>;
  readonly close: () => Promise<void>;
}

const INFO = { name: "published-servers", version: "1.0.0" };

/** The v1 SDK's client: the legacy era, with a session. */
export async function connectLegacyClient(url: string): Promise<RealClient> {
  const client = new LegacySdkClient(INFO);
  const transport = new LegacySdkTransport(new URL(url));
  await client.connect(transport);
  return {
    revision: transport.protocolVersion,
    tools: async () => allPages(async (cursor) => client.listTools(cursor === undefined ? {} : { cursor })),
    call: async (name, args) => outcomeOf(await client.callTool({ name, arguments: args })),
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

/** The v2 SDK's client, pinned to the modern era. */
export async function connectModernClient(url: string): Promise<RealClient> {
  const client = new ModernSdkClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(new ModernSdkTransport(new URL(url)));
  return {
    revision: client.getNegotiatedProtocolVersion(),
    tools: async () => allPages(async (cursor) => client.listTools(cursor === undefined ? {} : { cursor })),
    call: async (name, args) => outcomeOf(await client.callTool({ name, arguments: args })),
    close: async () => {
      await client.close();
    },
  };
}

interface ToolPage {
  readonly tools: readonly { readonly name: string }[];
  readonly nextCursor?: string | undefined;
}

async function allPages(page: (cursor: string | undefined) => Promise<ToolPage>): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const { tools, nextCursor } = await page(cursor);
    names.push(...tools.map(({ name }) => name));
    cursor = nextCursor;
  } while (cursor !== undefined);
  return names;
}

/** A result as both SDKs give it, with as much of it as is looked at. */
export function outcomeOf(result: object): CallOutcome {
  const content: unknown[] = "content" in result && Array.isArray(result.content) ? result.content : [];
  return {
    text: content.map(textOf).join("\n"),
    isError: "isError" in result && result.isError === true,
    structured: "structuredContent" in result ? result.structuredContent : undefined,
  };
}

function textOf(block: unknown): string {
  const isText = typeof block === "object" && block !== null && "text" in block && typeof block.text === "string";
  return isText ? String(block.text) : "";
}
