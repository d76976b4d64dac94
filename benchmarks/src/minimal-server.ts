import type { Era } from "@cortex-os/mcp-core/wire";
import { isJsonObject, META, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";

/** An answer as it goes out: the parts make one JSON text. A large one is a buffer that was made before. */
export type MinimalAnswer = readonly (string | Buffer)[];

/** The revision that a minimal server of each era speaks. */
export const REVISION = { modern: "2026-07-28", legacy: "2025-11-25" } as const satisfies Record<Era, string>;

const TOOLS = [
  { name: "echo", inputSchema: { type: "object", properties: { message: { type: "string" } } } },
  { name: "payload", inputSchema: { type: "object", properties: { bytes: { type: "integer" } } } },
  { name: "progress", inputSchema: { type: "object", properties: { steps: { type: "integer" } } } },
] as const;
const SERVER_INFO = { name: "minimal", version: "1.0.0" };
const CAPABILITIES = { tools: {} };
/** What every modern result says besides. */
const COMPLETE = { resultType: "complete" };
const LIST_LIFE = { ttlMs: 60_000, cacheScope: "private" };
const LINE = 'one line of a result, with "quotes" in it and a break at its end\n';

/** What the tool `payload` answers: a text of `bytes` characters, one byte each, some of which JSON escapes. */
export const payloadText = (bytes: number): string =>
  LINE.repeat(Math.ceil(bytes / LINE.length)).slice(0, bytes - 1) + ".";

/**
 * An MCP server of one era that does as little as a server can: what the gateways before it cost shows best in front of an upstream that costs next to nothing. Tools: `echo`
 * answers its message, `payload` a text of so many bytes, `progress` tells of so many steps first.
 */
export class MinimalServer {
  readonly era: Era;
  readonly #payloads = new Map<number, Buffer>();

  constructor(era: Era) {
    this.era = era;
  }

  /** @returns `undefined` for what is not answered: notifications */
  answer({ id, method, params }: JsonObject): MinimalAnswer | undefined {
    if (id === undefined) return undefined;
    if (method === "tools/call") return this.#call(id, params);
    const result = this.#result(method, params);
    if (result === undefined) {
      const error = { code: -32_601, message: "Method not found" };
      return [JSON.stringify({ jsonrpc: "2.0", id, error })];
    }
    return [JSON.stringify({ jsonrpc: "2.0", id, result })];
  }

  /** The notifications that go before the answer of this request, ready to be sent. */
  notifications({ params }: JsonObject): readonly string[] {
    const meta = isJsonObject(params) ? params["_meta"] : undefined;
    const progressToken = isJsonObject(meta) ? meta["progressToken"] : undefined;
    const steps = argument(params, "steps");
    if (progressToken === undefined || typeof steps !== "number") return [];
    return Array.from({ length: steps }, (_, at) =>
      JSON.stringify({
        jsonrpc: "2.0",
        method: "notifications/progress",
        params: { progressToken, progress: at + 1, total: steps },
      }),
    );
  }

  #result(method: JsonValue | undefined, params: JsonValue | undefined): JsonObject | undefined {
    if (method === "ping" && this.era === "legacy") return {};
    if (method === "initialize" && this.era === "legacy") {
      const asked = isJsonObject(params) ? params["protocolVersion"] : undefined;
      return { protocolVersion: asked ?? REVISION.legacy, capabilities: CAPABILITIES, serverInfo: SERVER_INFO };
    }
    if (method === "tools/list")
      return this.era === "legacy" ? { tools: TOOLS } : { ...COMPLETE, tools: TOOLS, ...LIST_LIFE };
    if (method !== "server/discover" || this.era === "legacy") return undefined;
    const supportedVersions = [REVISION.modern];
    const _meta = { [META.serverInfo]: SERVER_INFO };
    return { ...COMPLETE, supportedVersions, capabilities: CAPABILITIES, ...LIST_LIFE, _meta };
  }

  #call(id: JsonValue, params: JsonValue | undefined): MinimalAnswer {
    const type = this.era === "legacy" ? "" : '"resultType":"complete",';
    const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{${type}"content":[{"type":"text","text":`;
    const bytes = argument(params, "bytes");
    if (typeof bytes === "number") return [head, this.#payload(bytes), "}]}}"];
    return [`${head}${JSON.stringify(argument(params, "message") ?? "done")}}]}}`];
  }

  #payload(bytes: number): Buffer {
    const known = this.#payloads.get(bytes);
    if (known !== undefined) return known;
    const made = Buffer.from(JSON.stringify(payloadText(bytes)));
    this.#payloads.set(bytes, made);
    return made;
  }
}

function argument(params: JsonValue | undefined, name: string): JsonValue | undefined {
  const given = isJsonObject(params) ? params["arguments"] : undefined;
  return isJsonObject(given) ? given[name] : undefined;
}
