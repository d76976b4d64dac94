/** What the document says below its tables, with the place in the specification that it rests on. */
export const REASONS = {
  noPing: "`ping` does not exist in 2026-07-28 (Key Changes, 5): refused with −32601, over HTTP with status 404.",
  noBatches:
    "Batches exist in revision 2025-03-26 only (2025-06-18, Key Changes, 1): refused with −32600, over HTTP with status 400.",
  textOnly:
    "Structured content came with 2025-06-18 (Key Changes, 2). It is passed on all the same; a client of an older revision finds the same in the text beside it.",
  laterContent:
    "This revision knows fewer content types (audio came with 2025-03-26, resource links with 2025-06-18). They are passed on unchanged, as every unknown type is.",
  noContext: "`context` came with 2025-06-18 (Key Changes): completed without it.",
  noWordOutsideCalls:
    "A legacy HTTP server without sessions has no stream to speak on outside an answer, and says so: its capabilities are without `listChanged`.",
  noSubscriptions:
    "A legacy HTTP server without sessions cannot keep a subscription, and says so: its capabilities are without `subscribe`. A legacy client's `resources/subscribe` is refused with −31001 and the upstream's −32601 in it; a modern client's `subscriptions/listen` is acknowledged without the resource.",
  noLevel:
    "A legacy HTTP server without sessions has nothing to keep a log level in, and says so: its capabilities are without `logging`. The call works, and nothing is logged.",
  notTold:
    "A legacy HTTP server without sessions cannot tell which call `notifications/cancelled` means: the client is not answered any more, the server works on.",
} as const;

/** One of them. */
export type Reason = keyof typeof REASONS;
