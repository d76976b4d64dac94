import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "@cortex-os/mcp-core";
import type { ClientSession } from "../gateway/client-session.js";
import { sendEmpty, sendError } from "./respond.js";
import type { SessionStreams } from "./session-streams.js";

/**
 * Answers a session's GET (2025-11-25, Transports, Listening and Resumability): opens its stream for what belongs to no request, or goes on with the stream that `Last-Event-ID`
 * names, whichever that is.
 */
export function openLegacyStream(
  session: ClientSession,
  streams: SessionStreams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const lastEventId = request.headers["last-event-id"];
  if (typeof lastEventId === "string" && lastEventId !== "") {
    resume(streams, lastEventId, response);
    return;
  }
  if (session.isListening) {
    const error = new GatewayError("INVALID_REQUEST", "This session has a stream already; close it first");
    sendError(response, 409, error);
    return;
  }
  streams.listen(response);
}

function resume(streams: SessionStreams, lastEventId: string, response: ServerResponse): void {
  switch (streams.resume(lastEventId, response)) {
    case "resumed":
      return;
    case "complete":
      // Clients take it for "no stream here" and leave it at that. A 404 would tell them that their session is over.
      sendEmpty(response, 405, { allow: "POST, DELETE" });
      return;
    case "gone":
    case "unknown":
      sendError(
        response,
        400,
        new GatewayError("INVALID_REQUEST", "Last-Event-ID names no event of this session that can be gone on from"),
      );
  }
}
