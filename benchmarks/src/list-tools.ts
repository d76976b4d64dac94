import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { request } from "undici";
import type { Target } from "./target.js";

/** The names of the tools that a gateway lists, from the first page to the last. @throws Error when it answers anything else */
export async function listTools(url: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined;) {
    const bytes = await listAnswer(listCall(url, cursor === "" ? {} : { cursor }));
    const answer: unknown = JSON.parse(bytes.toString("utf8"));
    const result = isJsonObject(answer) ? answer["result"] : undefined;
    const tools = isJsonObject(result) ? result["tools"] : undefined;
    if (!isJsonObject(result) || !Array.isArray(tools))
      throw new Error(`${url} did not answer tools/list with a list: ${JSON.stringify(answer)}`);
    names.push(...tools.filter(isJsonObject).flatMap(({ name }) => (typeof name === "string" ? [name] : [])));
    const { nextCursor } = result;
    cursor = typeof nextCursor === "string" ? nextCursor : undefined;
  }
  return names;
}

/** Asks a gateway for the first page of its tools, or the one that `params` names. */
export function listCall(url: string, params: JsonObject = {}): Target {
  return {
    url,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/list",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/list",
      params: {
        ...params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientInfo": { name: "benchmark", version: "1.0.0" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  };
}

/** The bytes of one such answer. @throws Error when it is none */
export async function listAnswer({ url, headers, body }: Target): Promise<Buffer> {
  const answer = await request(url, { method: "POST", headers, body });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${bytes.toString("utf8")}`);
  return bytes;
}
