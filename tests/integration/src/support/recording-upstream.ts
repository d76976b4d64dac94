import { startJsonRpcServer, type JsonRpcServer } from "./json-rpc-server.js";

/** The member of `_meta` by which a request is known again. */
export const MARKER = "com.example/marker";

/** A server of 2026-07-28 over HTTP that does nothing but write down who came. It checks nothing, so that only the gateway can have refused. */
export interface RecordingUpstream extends JsonRpcServer {
  /** How often each marker arrived. */
  readonly arrived: ReadonlyMap<string, number>;
}

/** Lasts no moment and is for one caller only: no answer may stand for another request's. */
const UNCACHED = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
const ANSWERS: Readonly<Record<string, object>> = {
  "server/discover": {
    ...UNCACHED,
    supportedVersions: ["2026-07-28"],
    capabilities: { tools: {}, prompts: {}, resources: {}, completions: {} },
  },
  "tools/list": {
    ...UNCACHED,
    tools: [
      { name: "echo", inputSchema: { type: "object" } },
      {
        name: "mirror",
        inputSchema: {
          type: "object",
          properties: {
            region: { type: "string", "x-mcp-header": "Region" },
            place: { type: "object", properties: { shard: { type: "integer", "x-mcp-header": "Shard" } } },
          },
        },
      },
    ],
  },
  "prompts/list": { ...UNCACHED, prompts: [{ name: "greet" }] },
  "resources/list": { ...UNCACHED, resources: [{ uri: "memo://one", name: "one" }] },
  "resources/templates/list": { ...UNCACHED, resourceTemplates: [{ uriTemplate: "memo://item/{id}", name: "item" }] },
  "resources/read": { ...UNCACHED, contents: [] },
  "tools/call": { resultType: "complete", content: [] },
  "prompts/get": { resultType: "complete", messages: [] },
  "completion/complete": { resultType: "complete", completion: { values: [] } },
};

/** Starts it on a free port. */
export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const arrived = new Map<string, number>();
  const server = await startJsonRpcServer(({ method, params }) => {
    const marker = params?._meta?.[MARKER];
    if (typeof marker === "string") arrived.set(marker, (arrived.get(marker) ?? 0) + 1);
    return ANSWERS[method];
  });
  return { ...server, arrived };
}
