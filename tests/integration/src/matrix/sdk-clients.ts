import {
  Client as ModernSdkClient,
  StreamableHTTPClientTransport as ModernSdkHttp,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernSdkStdio } from "@modelcontextprotocol/client/stdio";
import { Client as LegacySdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as LegacySdkStdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as LegacySdkHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ResultSchema,
  type CreateMessageResult,
  type ElicitResult,
  type ListRootsResult,
} from "@modelcontextprotocol/sdk/types.js";
import { answerOf, capabilitiesOf } from "./answers.js";
import type { SurfaceGateway } from "../support/surface-gateway.js";
import type { MatrixClient } from "./matrix-client.js";
import type { Heard, Members } from "./message.js";
import { RawClient, type RequestOptions } from "./raw-client.js";
import type { OpenWire } from "./wire.js";

const INFO = { name: "sdk-client", version: "1.0.0" };
const ANYTHING = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
} as const;
const NOTICES = ["tools", "resources", "prompts"].map((feature) => `notifications/${feature}/list_changed`);

/** The v1 SDK's client, which speaks 2025-11-25, with a raw one beside it. @param name in which it answers what servers ask */
export async function legacySdk(
  name: string,
  transport: LegacySdkHttp | LegacySdkStdio,
  wire: OpenWire,
): Promise<MatrixClient> {
  const raw = await RawClient.connect("2025-11-25", wire);
  const client = new LegacySdkClient(INFO, { capabilities: capabilitiesOf("2025-11-25") });
  client.setRequestHandler(ElicitRequestSchema, () => answerOf(name, "elicitation") as ElicitResult);
  client.setRequestHandler(CreateMessageRequestSchema, () => answerOf(name, "sampling") as CreateMessageResult);
  client.setRequestHandler(ListRootsRequestSchema, () => answerOf(name, "roots") as ListRootsResult);
  const heard: Heard[] = [];
  client.fallbackNotificationHandler = async ({ method, params }) => {
    heard.push({ method, params: params ?? {} });
  };
  await client.connect(transport);
  return {
    raw,
    heard,
    server: { name: client.getServerVersion()?.name, capabilities: { ...client.getServerCapabilities() } },
    request: async (method, params, options = {}) => legacyRequest(client, method, params, options),
    watch: async (uri) => {
      await client.subscribeResource({ uri });
      return async () => void (await client.unsubscribeResource({ uri }));
    },
    callLogging: async (tool, args) => {
      await client.setLoggingLevel("info");
      await client.callTool({ name: tool, arguments: args });
    },
    close: async () => {
      if (transport instanceof LegacySdkHttp) await transport.terminateSession();
      await client.close();
      await raw.close();
    },
  };
}

/** The v2 SDK's client, pinned to 2026-07-28, with a raw one beside it. @param name in which it answers what servers ask */
export async function modernSdk(
  name: string,
  transport: ModernSdkHttp | ModernSdkStdio,
  wire: OpenWire,
): Promise<MatrixClient> {
  const raw = await RawClient.connect("2026-07-28", wire);
  const client = new ModernSdkClient(INFO, {
    versionNegotiation: { mode: { pin: "2026-07-28" } },
    capabilities: capabilitiesOf("2026-07-28"),
  });
  client.setRequestHandler("elicitation/create", () => answerOf(name, "elicitation") as ElicitResult);
  client.setRequestHandler("sampling/createMessage", () => answerOf(name, "sampling") as CreateMessageResult);
  client.setRequestHandler("roots/list", () => answerOf(name, "roots") as ListRootsResult);
  const heard: Heard[] = [];
  client.fallbackNotificationHandler = async ({ method, params }) => {
    heard.push({ method, params: { ...params } });
  };
  for (const method of [...NOTICES, "notifications/resources/updated", "notifications/message"] as const)
    client.setNotificationHandler(method as "notifications/resources/updated", ({ params }) => {
      heard.push({ method, params: { ...params } });
    });
  await client.connect(transport);
  await client.listen({ toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true });
  return {
    raw,
    heard,
    server: { name: client.getServerVersion()?.name, capabilities: { ...client.getServerCapabilities() } },
    request: async (method, params, options = {}) => modernRequest(client, method, params, options),
    watch: async (uri) => {
      const subscription = await client.listen({ resourceSubscriptions: [uri] });
      return async () => subscription.close();
    },
    callLogging: async (tool, args) => {
      const _meta = { "io.modelcontextprotocol/logLevel": "info" };
      await client.callTool({ name: tool, arguments: args, _meta });
    },
    close: async () => {
      await client.close();
      await raw.close();
    },
  };
}

const requestOptions = ({ signal, onProgress }: RequestOptions): object => ({
  ...(signal === undefined ? {} : { signal }),
  ...(onProgress === undefined ? {} : { onprogress: (progress: object) => onProgress({ ...progress }) }),
});

async function legacyRequest(
  client: LegacySdkClient,
  method: string,
  params: Members,
  options: RequestOptions,
): Promise<Members> {
  const call = { ...params, name: String(params["name"]), uri: String(params["uri"]) };
  const own = requestOptions(options);
  switch (method) {
    case "ping":
      return client.ping(own);
    case "tools/list":
      return client.listTools(params, own);
    case "tools/call":
      return client.callTool(call, undefined, own);
    case "resources/list":
      return client.listResources(params, own);
    case "resources/templates/list":
      return client.listResourceTemplates(params, own);
    case "resources/read":
      return client.readResource(call, own);
    case "prompts/list":
      return client.listPrompts(params, own);
    case "prompts/get":
      return client.getPrompt(call, own);
    case "completion/complete":
      return client.complete(params as Parameters<LegacySdkClient["complete"]>[0], own);
    default:
      return client.request({ method, params: { ...params } }, ResultSchema, own);
  }
}

async function modernRequest(
  client: ModernSdkClient,
  method: string,
  params: Members,
  options: RequestOptions,
): Promise<Members> {
  const call = { ...params, name: String(params["name"]), uri: String(params["uri"]) };
  const own = requestOptions(options);
  // By default it would answer from what it has kept.
  const fresh = { ...own, cacheMode: "refresh" } as const;
  switch (method) {
    case "tools/list":
      return { ...(await client.listTools(params, fresh)) };
    case "tools/call":
      return { ...(await client.callTool(call, own)) };
    case "resources/list":
      return { ...(await client.listResources(params, fresh)) };
    case "resources/templates/list":
      return { ...(await client.listResourceTemplates(params, fresh)) };
    case "resources/read":
      return { ...(await client.readResource(call, fresh)) };
    case "prompts/list":
      return { ...(await client.listPrompts(params, fresh)) };
    case "prompts/get":
      return { ...(await client.getPrompt(call, own)) };
    case "completion/complete":
      return { ...(await client.complete(params as Parameters<ModernSdkClient["complete"]>[0], own)) };
    default:
      return (await client.request({ method, params: { ...params } }, ANYTHING, own)) as Members;
  }
}

/** The transports of both SDKs to a gateway. */
export const SDK_TRANSPORTS = {
  legacy: {
    HTTP: ({ url }: SurfaceGateway) => new LegacySdkHttp(new URL(url)),
    stdio: ({ stdio }: SurfaceGateway) => new LegacySdkStdio(stdio),
  },
  modern: {
    HTTP: ({ url }: SurfaceGateway) => new ModernSdkHttp(new URL(url)),
    stdio: ({ stdio }: SurfaceGateway) => new ModernSdkStdio(stdio),
  },
} as const;
