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
    "Without sessions there are no clients that a stream beside the answers could belong to: such servers offer none (405, 2025-11-25, Transports, Listening for Messages), and say so: their capabilities are without `listChanged`.",
  noSubscriptions:
    "A legacy HTTP server without sessions cannot keep a subscription, and says so: its capabilities are without `subscribe`. A legacy client's `resources/subscribe` is refused with −31001 and the upstream's −32601 in it, at the connector's own address with −32601; a modern client's `subscriptions/listen` is acknowledged without the resource.",
  noLevel:
    "A legacy HTTP server without sessions has nothing to keep a log level in, and says so: its capabilities are without `logging`. The call works, and nothing is logged; at the connector's own address `logging/setLevel` is refused with −32601.",
  notTold:
    "A legacy HTTP server without sessions cannot tell which call `notifications/cancelled` means: the client is not answered any more, the server works on.",
  sharedChild:
    "A legacy stdio server is one process for all clients, and its question does not say whom it is for: it goes to the only call under way that it can be of. If several could be meant it is refused, and from then on each client has a process of its own; `isolation: session` in its entry has it so from the start.",
  noElicitation:
    "Elicitation came with 2025-06-18 (Key Changes, 6): a client of an older revision does not declare it, and is not asked. A server that asks all the same hears −32601 and the reason.",
  nobodyToAsk:
    "A legacy HTTP server without sessions cannot tell which of its questions an answer is for (2025-11-25, Transports, Session Management): it does not ask.",
  asksModern:
    "A server of 2026-07-28 asks by ending the request with `input_required` (Key Changes, 7), which no older client can answer. The gateway declares no capability in such a client's name: the server refuses with −32021, and one that asks all the same is answered for with −32603 and the reason.",
  asksLegacy:
    "A server of an older revision asks by requests of its own, which a client of 2026-07-28 does not take (Key Changes, 7). The gateway declares no capability in such a client's name, and the server does not ask; one that asks all the same hears −32601 and the reason.",
} as const;

/** One of them. */
export type Reason = keyof typeof REASONS;
