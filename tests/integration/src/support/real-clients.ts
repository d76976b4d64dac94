import {
  Client as ModernSdkClient,
  StreamableHTTPClientTransport as ModernSdkTransport,
} from "@modelcontextprotocol/client";
import { Client as LegacySdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacySdkTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/** What a test does with a real client, whichever SDK it is of. */
export interface RealClient {
  /** The revision it negotiated. */
  readonly revision: string | undefined;
  tools(): Promise<string[]>;
  call(name: string, args: Record<string, unknown>, options?: RealCallOptions): Promise<RealResult>;
  /** Calls `listener` when the server says that its tools changed. */
  onToolsChanged(listener: () => void): Promise<void>;
  close(): Promise<void>;
}

/** How a real client calls. */
export interface RealCallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: number) => void;
}

/** As much of a CallToolResult as tests look at. */
export interface RealResult {
  readonly text: string;
  readonly isError: boolean;
  readonly structured: unknown;
}

/** The two kinds of client of the matrix. */
export const REAL_CLIENTS = {
  "v1 SDK, 2025-11-25": connectLegacyClient,
  "v2 SDK, 2026-07-28": connectModernClient,
} as const;

const INFO = { name: "integration-test", version: "1.0.0" };

/** The v1 SDK's client, over Streamable HTTP. */
export async function connectLegacyClient(url: string): Promise<RealClient> {
  const transport = new LegacySdkTransport(new URL(url));
  const client = await legacyClientOver(transport);
  return {
    ...client,
    revision: transport.protocolVersion,
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

/** The v1 SDK's client, over any transport of its. */
export async function legacyClientOver(
  transport: Parameters<LegacySdkClient["connect"]>[0],
): Promise<Omit<RealClient, "revision">> {
  const client = new LegacySdkClient(INFO);
  const listeners = new Set<() => void>();
  client.fallbackNotificationHandler = async ({ method }) => {
    if (method === "notifications/tools/list_changed") for (const listener of listeners) listener();
  };
  await client.connect(transport);
  return {
    tools: async () => allPages(async (cursor) => client.listTools(cursor === undefined ? {} : { cursor })),
    call: async (name, args, { signal, onProgress } = {}) =>
      resultOf(
        await client.callTool({ name, arguments: args }, undefined, {
          ...(signal === undefined ? {} : { signal }),
          ...(onProgress === undefined ? {} : { onprogress: ({ progress }) => onProgress(progress) }),
        }),
      ),
    onToolsChanged: async (listener) => {
      listeners.add(listener);
    },
    close: async () => {
      await client.close();
    },
  };
}

/** The v2 SDK's client, pinned to the modern era, over Streamable HTTP. */
export async function connectModernClient(url: string): Promise<RealClient> {
  return modernClientOver(new ModernSdkTransport(new URL(url)));
}

/** The v2 SDK's client, pinned to the modern era, over any transport of its. */
export async function modernClientOver(transport: Parameters<ModernSdkClient["connect"]>[0]): Promise<RealClient> {
  const client = new ModernSdkClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(transport);
  return {
    revision: client.getNegotiatedProtocolVersion(),
    // Asked anew each time: by default it would answer from what it has kept.
    tools: async () =>
      allPages(async (cursor) => client.listTools(cursor === undefined ? {} : { cursor }, { cacheMode: "refresh" })),
    call: async (name, args, { signal, onProgress } = {}) =>
      resultOf(
        await client.callTool(
          { name, arguments: args },
          {
            ...(signal === undefined ? {} : { signal }),
            ...(onProgress === undefined
              ? {}
              : { onprogress: ({ progress }: { progress: number }) => onProgress(progress) }),
          },
        ),
      ),
    onToolsChanged: async (listener) => {
      client.setNotificationHandler("notifications/tools/list_changed", () => {
        listener();
      });
      await client.listen({ toolsListChanged: true });
    },
    close: async () => {
      await client.close();
    },
  };
}

interface ToolPage {
  readonly tools: readonly { readonly name: string }[];
  readonly nextCursor?: string | undefined;
}

async function allPages(page: (cursor: string | undefined) => Promise<ToolPage>): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const { tools, nextCursor } = await page(cursor);
    names.push(...tools.map(({ name }) => name));
    cursor = nextCursor;
  } while (cursor !== undefined);
  return names;
}

function resultOf(result: object): RealResult {
  const content: unknown[] = "content" in result && Array.isArray(result.content) ? result.content : [];
  const text = content.map(textOf).join("\n");
  const structured = "structuredContent" in result ? result.structuredContent : undefined;
  return { text, isError: "isError" in result && result.isError === true, structured };
}

function textOf(block: unknown): string {
  const isText = typeof block === "object" && block !== null && "text" in block && typeof block.text === "string";
  return isText ? String(block.text) : "";
}
