import type { Exchange } from "@cortex-os/mcp-bridge";
import { GatewayError } from "@cortex-os/mcp-core";
import {
  ANONYMOUS,
  isJsonObject,
  isLegacyRevision,
  LATEST_LEGACY,
  type ClassifiedMessage,
  type JsonObject,
  type JsonRpcRequest,
} from "@cortex-os/mcp-core/wire";
import type { ClientSink } from "./client-sink.js";
import type { Gateway } from "./gateway.js";
import type { Scope } from "./scope.js";
import type { ClientSession } from "./client-session.js";

/** Where one request of a session is answered, whatever the transport. */
export interface LegacySink extends ClientSink {
  /** Ties it to what it answers. */
  attach(exchange: Exchange): void;
  /** Given up: no answer follows. */
  cancel(reason?: string): void;
}

/** A session that `initialize` opened, and the answer that says so. */
export interface OpenedSession {
  readonly session: ClientSession;
  readonly result: JsonObject;
}

/**
 * Opens a session for a client of the legacy era (2025-11-25, Lifecycle): in the revision it asks for if the gateway speaks it, else in the latest.
 *
 * @throws GatewayError INVALID_PARAMS without a `protocolVersion`, LIMITED when every session is in use, or why it is not known what the scope is
 */
export function openSession({ sessions }: Gateway, scope: Scope, { params }: JsonRpcRequest): OpenedSession {
  const asked = params?.["protocolVersion"];
  if (typeof asked !== "string") throw new GatewayError("INVALID_PARAMS", "params.protocolVersion is missing");
  const clientInfo = params?.["clientInfo"];
  const capabilities = params?.["capabilities"];
  const revision = isLegacyRevision(asked) ? asked : LATEST_LEGACY;
  const description = scope.describe();
  if (GatewayError.is(description)) throw description;
  const session = sessions.create(scope, {
    era: "legacy",
    revision,
    principal: ANONYMOUS.id,
    ...(isJsonObject(clientInfo) ? { clientInfo } : {}),
    ...(isJsonObject(capabilities) ? { capabilities } : {}),
  });
  return { session, result: description.initialized(revision) };
}

/**
 * Answers one request of a session through the sink that `sinkFor` makes. A second request under an id that is still under way is refused: its answer could
 * not be told from the first one's.
 *
 * @param sinkFor makes the sink; it calls `onDone` once, when it is answered, cancelled or gone
 */
export function serveRequest(
  { router }: Gateway,
  session: ClientSession,
  message: JsonRpcRequest,
  sinkFor: (onDone: () => void) => LegacySink,
): void {
  const { id } = message;
  if (session.inFlight.has(id)) {
    const error = new GatewayError("INVALID_REQUEST", "Another request with this id is still under way");
    sinkFor(() => {}).fail(error);
    return;
  }
  const sink = sinkFor(() => {
    session.answered(id);
  });
  session.inFlight.set(id, (reason) => {
    sink.cancel(reason);
  });
  sink.attach(router.handle({ message, caller: session.caller, scope: session.scope }, sink));
}

/** Takes an answer or a notification of a session's client; what is neither for the gateway nor for an upstream of the session is dropped. */
export function takeMessage(
  { router }: Gateway,
  session: ClientSession,
  { kind, message }: Exclude<ClassifiedMessage, { kind: "invalid" | "request" }>,
): void {
  if (kind === "response") session.questions.answered(message);
  else if (message.method === "notifications/cancelled") cancel(session, message.params);
  else if (message.method === "notifications/progress") session.questions.progressed(message.params);
  else if (message.method === "notifications/roots/list_changed") router.rootsChanged(session.caller, message);
}

function cancel(session: ClientSession, params: JsonObject | undefined): void {
  const id = params?.["requestId"];
  const reason = params?.["reason"];
  if (typeof id !== "string" && typeof id !== "number") return;
  session.inFlight.get(id)?.(typeof reason === "string" ? reason : undefined);
}
