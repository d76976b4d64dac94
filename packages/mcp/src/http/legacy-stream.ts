import type { ServerResponse } from "node:http";
import { GatewayError } from "@cortex-os/mcp-core";
import type { ClientSession } from "../gateway/session-store.js";
import { sendError } from "./respond.js";
import { SseResponse, type SseDeps } from "./sse-response.js";

/** Opens a session's GET stream: the way for notifications outside of any request (2025-11-25, Transports, Listening). */
export function openLegacyStream(session: ClientSession, response: ServerResponse, deps: SseDeps): void {
  if (session.isListening) {
    const error = new GatewayError("INVALID_REQUEST", "This session has a stream already; close it first");
    sendError(response, 409, error);
    return;
  }
  const sse = new SseResponse(response, deps);
  const stream = {
    notify: (notification: object): void => {
      sse.send(notification);
    },
    end: (): void => {
      sse.end();
    },
  };
  session.listen(stream);
  response.once("close", () => {
    session.unlisten(stream);
  });
}
