import { classifyMessage, isJsonObject, type ClassifiedMessage, type RequestId } from "@cortex-os/mcp-core/wire";

/** What came over a channel. */
export type Classified =
  | Exclude<ClassifiedMessage, { kind: "invalid" }>
  /** `answers`: the request it was meant to answer, if that much can be told. */
  | { readonly kind: "invalid"; readonly reason: string; readonly answers: RequestId | undefined };

/** {@link classifyMessage} for a channel that many requests share: of what is malformed it matters whose it is. */
export function classify(value: unknown): Classified {
  const classified = classifyMessage(value);
  if (classified.kind !== "invalid") return classified;
  // An id beside a method is the peer's own, and may well equal one of ours.
  const answers = isJsonObject(value) && value["method"] === undefined ? classified.id : undefined;
  return { kind: "invalid", reason: classified.reason, answers };
}
