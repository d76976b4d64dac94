import { GatewayError } from "@cortex-os/mcp-core";
import type { ClassifiedMessage } from "@cortex-os/mcp-core/wire";
import { checkMessage } from "./read-message.js";

/** The one revision that knows batches; its servers have to take them (2025-03-26, Base Protocol, Batching). */
export const BATCH_REVISION = "2025-03-26";
/** Most messages in a batch. */
const MAX_MESSAGES = 100;

/** A batch's messages, or the error that the whole of it deserves. */
export type ReadBatch =
  | { readonly ok: true; readonly messages: readonly Exclude<ClassifiedMessage, { kind: "invalid" }>[] }
  | { readonly ok: false; readonly error: GatewayError };

/** Checks every member before anything is done for the first: a batch is carried out or refused as a whole. Never throws. */
export function readBatch(values: readonly unknown[]): ReadBatch {
  if (values.length === 0 || values.length > MAX_MESSAGES)
    return refused(`a batch holds 1 to ${MAX_MESSAGES} messages, not ${values.length}`);
  const messages: Exclude<ClassifiedMessage, { kind: "invalid" }>[] = [];
  for (const value of values) {
    const read = checkMessage(value);
    if (!read.ok) return read;
    if (read.message.kind === "request" && read.message.message.method === "initialize")
      return refused("initialize must not be part of a batch");
    messages.push(read.message);
  }
  return { ok: true, messages };
}

const refused = (reason: string): ReadBatch => ({
  ok: false,
  error: new GatewayError("INVALID_REQUEST", `Invalid request: ${reason}`),
});
