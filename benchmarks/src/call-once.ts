import { isJsonObject } from "@cortex-os/mcp-core/wire";
import { request } from "undici";
import type { Target } from "./load.js";

/** How a call ended: well, or with what: the code of a JSON-RPC error, `isError` for a result that is one, `HTTP` and a status, or the name of a failure on the way. */
export type CallOutcome = "ok" | `failed: ${string}`;

/** One call. Never rejects. */
export async function outcomeOf({ url, headers, body }: Target): Promise<CallOutcome> {
  try {
    const { statusCode, body: answer } = await request(url, { method: "POST", headers, body });
    const text = await answer.text();
    if (statusCode === 200 && text.includes('"result"'))
      return text.includes('"isError":true') ? "failed: isError" : "ok";
    return `failed: ${errorCodeIn(text) ?? `HTTP ${statusCode}`}`;
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** One call. @throws Error when it does not end well */
export async function callOnce(target: Target): Promise<void> {
  const outcome = await outcomeOf(target);
  if (outcome !== "ok") throw new Error(`a call of ${target.url} ${outcome}`);
}

function errorCodeIn(text: string): number | undefined {
  // A failure may come as an event as well.
  const json = /^data: ?(.*)$/m.exec(text)?.[1] ?? text;
  try {
    const message: unknown = JSON.parse(json);
    const error = isJsonObject(message) ? message["error"] : undefined;
    const code = isJsonObject(error) ? error["code"] : undefined;
    return typeof code === "number" ? code : undefined;
  } catch {
    return undefined;
  }
}
