import { GatewayError } from "@cortex-os/mcp-core";
import {
  classifyMessage,
  findCaseVariant,
  isJsonObject,
  isTextDeeperThan,
  MAX_JSON_DEPTH,
  type ClassifiedMessage,
  type RequestId,
} from "@cortex-os/mcp-core/wire";

/** One text as a message, or the error it deserves. */
export type ReadMessage =
  | { readonly ok: true; readonly message: Exclude<ClassifiedMessage, { kind: "invalid" }> }
  | Refusal;

interface Refusal {
  readonly ok: false;
  readonly error: GatewayError;
  readonly id?: RequestId;
  /** The members of a batch: some sessions may send one. They are not deeper than a message may be, and not checked otherwise. */
  readonly batch?: readonly unknown[];
}

/** Reads one text strictly: one message, no key that differs from a reserved one in case only, no hostile depth. Never throws. */
export function readMessage(body: Buffer): ReadMessage {
  const text = body.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, error: new GatewayError("PARSE_ERROR", "The message is not JSON") };
  }
  const batch: readonly unknown[] | undefined = Array.isArray(value) ? value : undefined;
  const limit = batch === undefined ? MAX_JSON_DEPTH : MAX_JSON_DEPTH + 1;
  if (hasMoreOpenings(text, limit) && isTextDeeperThan(body, limit))
    return invalid(`nested deeper than ${MAX_JSON_DEPTH} levels`, idOf(value));
  if (batch === undefined) return checkMessage(value);
  const message = "JSON-RPC batches are not supported: send one message per request";
  return { ok: false, error: new GatewayError("INVALID_REQUEST", message), batch };
}

/** Whether there are more brackets in it than `limit`: what has fewer nests no deeper. Most messages have a handful, and need no look at each byte. */
function hasMoreOpenings(text: string, limit: number): boolean {
  let left = limit;
  for (const bracket of BRACKETS)
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      left -= 1;
      if (left < 0) return true;
    }
  return false;
}

const BRACKETS = ["{", "["] as const;

/** Checks one parsed value as {@link readMessage} does, but for its depth. Never throws. */
export function checkMessage(value: unknown): ReadMessage {
  const classified = classifyMessage(value);
  if (classified.kind === "invalid") return invalid(classified.reason, classified.id);
  const variant = isJsonObject(value) ? findCaseVariant(value) : undefined;
  if (variant === undefined) return { ok: true, message: classified };
  return invalid(`the key ${JSON.stringify(variant)} differs from a reserved one in case only`, idOf(value));
}

function invalid(reason: string, id: RequestId | undefined): Refusal {
  const error = new GatewayError("INVALID_REQUEST", `Invalid request: ${reason}`);
  return { ok: false, error, ...(id === undefined ? {} : { id }) };
}

/** The id of what is a request, whatever else is wrong with it. */
function idOf(value: unknown): RequestId | undefined {
  const classified = classifyMessage(value);
  return classified.kind === "request" ? classified.message.id : undefined;
}
