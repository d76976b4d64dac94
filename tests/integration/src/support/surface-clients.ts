import {
  Client as ModernSdkClient,
  StreamableHTTPClientTransport as ModernSdkHttp,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernSdkStdio } from "@modelcontextprotocol/client/stdio";
import { Client as LegacySdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as LegacySdkStdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as LegacySdkHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { rawOverHttp, rawOverStdio } from "./raw-modern.js";
import type { SurfaceGateway } from "./surface-gateway.js";

/** A notification as it came. */
export interface Heard {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What a client wants to hear, whatever its era calls that. */
export interface Wanted {
  readonly lists?: true;
  readonly resources?: readonly string[];
}

/** A client of either SDK over either transport, with all that a test of the whole surface asks of one. */
export interface SurfaceClient {
  readonly era: "modern" | "legacy";
  readonly client: LegacySdkClient | ModernSdkClient;
  readonly heard: readonly Heard[];
  /** One request, its result as it came: the SDKs' own methods refuse what they do not know. */
  raw(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The same without an SDK, which could refuse what it does not know; only in the modern era, where the SDK does. */
  wire(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Asks to hear something; resolves when it is agreed. The returned function asks to hear it no more. */
  listen(wanted: Wanted): Promise<() => Promise<void>>;
  /** Calls a tool that logs, in the way in which the era asks for log messages. */
  callLogging(name: string, args: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

const INFO = { name: "surface-test", version: "1.0.0" };
const NOTICES = ["tools", "resources", "prompts"].map((feature) => `notifications/${feature}/list_changed`);
const ANYTHING = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
} as const;

/** How each client of the matrix is connected. */
export const SURFACE_CLIENTS: Readonly<Record<string, (gateway: SurfaceGateway) => Promise<SurfaceClient>>> = {
  "v1 SDK, 2025-11-25, HTTP": async (gateway) => legacy(new LegacySdkHttp(new URL(gateway.url))),
  "v1 SDK, 2025-11-25, stdio": async (gateway) => legacy(new LegacySdkStdio(gateway.stdio)),
  "v2 SDK, 2026-07-28, HTTP": async (gateway) => modern(new ModernSdkHttp(new URL(gateway.url)), rawOverHttp(gateway)),
  "v2 SDK, 2026-07-28, stdio": async (gateway) => modern(new ModernSdkStdio(gateway.stdio), rawOverStdio(gateway)),
};

async function legacy(transport: LegacySdkHttp | LegacySdkStdio): Promise<SurfaceClient> {
  const client = new LegacySdkClient(INFO);
  const heard: Heard[] = [];
  client.fallbackNotificationHandler = async ({ method, params }) => {
    heard.push({ method, params: params ?? {} });
  };
  await client.connect(transport);
  return {
    era: "legacy",
    client,
    heard,
    raw: async (method, params) => client.request({ method, params }, ResultSchema),
    wire: async (method, params) => client.request({ method, params }, ResultSchema),
    listen: async ({ resources = [] }) => {
      for (const uri of resources) await client.subscribeResource({ uri });
      return async () => {
        for (const uri of resources) await client.unsubscribeResource({ uri });
      };
    },
    callLogging: async (name, args) => {
      await client.setLoggingLevel("info");
      await client.callTool({ name, arguments: args });
    },
    close: async () => {
      if (transport instanceof LegacySdkHttp) await transport.terminateSession();
      await client.close();
    },
  };
}

async function modern(transport: ModernSdkHttp | ModernSdkStdio, wire: SurfaceClient["wire"]): Promise<SurfaceClient> {
  const client = new ModernSdkClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  const heard: Heard[] = [];
  client.fallbackNotificationHandler = async ({ method, params }) => {
    heard.push({ method, params: { ...params } });
  };
  for (const method of [...NOTICES, "notifications/resources/updated", "notifications/message"] as const)
    client.setNotificationHandler(method as "notifications/resources/updated", ({ params }) => {
      heard.push({ method, params: { ...params } });
    });
  await client.connect(transport);
  return {
    era: "modern",
    client,
    heard,
    raw: async (method, params) => (await client.request({ method, params }, ANYTHING)) as Record<string, unknown>,
    wire,
    listen: async ({ lists, resources }) => {
      const subscription = await client.listen({
        ...(lists ? { toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true } : {}),
        ...(resources === undefined ? {} : { resourceSubscriptions: [...resources] }),
      });
      return async () => subscription.close();
    },
    callLogging: async (name, args) => {
      const _meta = { "io.modelcontextprotocol/logLevel": "info" };
      await client.callTool({ name, arguments: args, _meta });
    },
    close: async () => client.close(),
  };
}
