import type { ConnectorTimeouts } from "@cortex-os/mcp-core";
import type { JsonObject, RequestId } from "@cortex-os/mcp-core/wire";
import type { Caller } from "../runtime/exchange.js";
import type { PreparedRequest } from "./exchange-host.js";
import type { LegacySession } from "./legacy-session.js";
import { modernPostHeaders, POST_HEADERS } from "./request-headers.js";
import type { LevelWish } from "./session-levels.js";

/** Longest message of an answer that is read, in bytes. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** A request before it has a body. */
export interface RequestDraft {
  /** The id as the upstream sees it. */
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | undefined;
  /** The legacy session it belongs to; `undefined` towards a modern upstream. */
  readonly session: LegacySession | undefined;
  /** As in {@link PreparedRequest}. */
  readonly caller?: Caller | undefined;
  /** The modern era's revision. */
  readonly revision: string;
  readonly paramHeaders?: Readonly<Record<string, string>> | undefined;
  readonly logs?: LevelWish | undefined;
}

/** Encodes a request, within the bounds of a call. */
export function prepareRequest(draft: RequestDraft, timeouts: ConnectorTimeouts): PreparedRequest {
  const { id, method, params, session, caller, revision, paramHeaders, logs } = draft;
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  const headers = session === undefined ? modernPostHeaders(revision, method, params, paramHeaders) : POST_HEADERS;
  // All in one, with every field: objects of one shape are what V8 is fast with.
  return {
    id,
    method,
    body,
    headers,
    session,
    caller,
    lane: "calls",
    maxBytes: MAX_MESSAGE_BYTES,
    idleMs: timeouts.callMs,
    maxMs: timeouts.callMaxMs,
    logs,
  };
}
