import { GatewayError } from "@cortex-os/mcp-core";
import {
  classifyMessage,
  findCaseVariant,
  isJsonObject,
  isTextDeeperThan,
  MAX_JSON_DEPTH,
  type ClassifiedMessage,
  type JsonObject,
  type RequestId,
} from "@cortex-os/mcp-core/wire";

/** One body as a message, or the error it deserves. */
export type ReadMessage =
  | { readonly ok: true; readonly message: Exclude<ClassifiedMessage, { kind: "invalid" }> }
  | { readonly ok: false; readonly error: GatewayError; readonly id?: RequestId };

/** Reads one body strictly: one message, no key that differs from a reserved one in case only, no hostile depth. Never throws. */
export function readMessage(body: Buffer): ReadMessage {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return { ok: false, error: new GatewayError("PARSE_ERROR", "The body is not JSON") };
  }
  if (Array.isArray(value)) {
    const message = "JSON-RPC batches are not supported: send one message per request";
    return { ok: false, error: new GatewayError("INVALID_REQUEST", message) };
  }
  const classified = classifyMessage(value);
  const problem = isJsonObject(value) ? problemIn(value, body) : undefined;
  if (classified.kind === "invalid") {
    const error = new GatewayError("INVALID_REQUEST", `Invalid request: ${classified.reason}`);
    return { ok: false, error, ...(classified.id === undefined ? {} : { id: classified.id }) };
  }
  if (problem === undefined) return { ok: true, message: classified };
  const id = classified.kind === "request" ? { id: classified.message.id } : {};
  return { ok: false, error: new GatewayError("INVALID_REQUEST", `Invalid request: ${problem}`), ...id };
}

function problemIn(value: JsonObject, body: Buffer): string | undefined {
  const variant = findCaseVariant(value);
  if (variant !== undefined) return `the key ${JSON.stringify(variant)} differs from a reserved one in case only`;
  if (isTextDeeperThan(body, MAX_JSON_DEPTH)) return `nested deeper than ${MAX_JSON_DEPTH} levels`;
  return undefined;
}
