import { GatewayError } from "@cortex-os/mcp-core";
import { classifyMessage, type JsonRpcErrorObject } from "@cortex-os/mcp-core/wire";
import type { EarEnd } from "../listening/ear.js";
import { listenRefusal } from "../listening/listen-refusal.js";
import type { StreamEnd } from "./event-stream.js";
import { connectionFailure } from "./failures.js";

/** Statuses that say nothing about the request: asking again may help. */
const isTransient = (status: number): boolean => status >= 500 || status === 429 || status === 408;

/** What the end of a stream means to those who listened. */
export function earEnd(key: string, end: StreamEnd): EarEnd {
  if (end.kind === "ended" || (end.kind === "refused" && isTransient(end.status))) return { kind: "ended" };
  if (end.kind === "refused") return { kind: "refused", error: listenRefusal(key, errorIn(end.text) ?? end.status) };
  const { error } = end;
  return { kind: "gone", error: GatewayError.is(error) ? error : connectionFailure(key, error, false) };
}

function errorIn(text: string): JsonRpcErrorObject | undefined {
  try {
    const classified = classifyMessage(JSON.parse(text));
    return classified.kind === "response" && "error" in classified.message ? classified.message.error : undefined;
  } catch {
    return undefined;
  }
}
