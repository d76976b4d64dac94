import type { Ear, EarListener } from "../listening/ear.js";
import { earEnd } from "./ear-end.js";
import { EventStream, type StreamEnd } from "./event-stream.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { Lane } from "./lanes.js";
import type { LegacySession } from "./legacy-session.js";
import type { LinkQuestions } from "./link-questions.js";
import { legacyHeaders, STREAM_HEADERS } from "./request-headers.js";

/** What {@link getStreams} works through. */
export interface GetStreamDeps {
  readonly upstream: HttpUpstream;
  readonly session: LegacySession;
  readonly lane: Lane;
  /** What the upstream asks on the stream. */
  readonly questions: Pick<LinkQuestions, "lost" | "onStream" | "withdrawn">;
}

/** Opens the stream on which a legacy upstream tells, in one of its sessions, what nobody asked for (2025-11-25, transports); one after the other. */
export function getStreams({ upstream, session, lane, questions }: GetStreamDeps): (listener: EarListener) => Ear {
  let hadStream = false;
  return (listener) => {
    let sessionId: string | undefined;
    const stream = new EventStream(upstream.key, {
      onOpen() {
        hadStream = true;
        listener.onOpen();
      },
      onMessage({ kind, message }) {
        if (kind === "request") questions.onStream(session, message);
        else if (kind !== "notification") return;
        else if (message.method === "notifications/cancelled") questions.withdrawn(session, message.params);
        else listener.onNotification(message);
      },
      onEnd(end) {
        // A server that had a stream for us and has none any more has forgotten the session.
        if (hadStream && speaksOfSession(end) && sessionId !== undefined && session.lost(sessionId))
          questions.lost(session);
        listener.onEnd(earEnd(upstream.key, end));
      },
    });
    session.whenOpen((error) => {
      const { facts } = session;
      if (error !== undefined || facts === undefined) {
        stream.onError(error ?? new Error("no session"));
        return;
      }
      sessionId = facts.id;
      upstream.dispatch({ method: "GET", headers: [...STREAM_HEADERS, ...legacyHeaders(facts)], lane }, stream);
    });
    return { close: () => stream.stop() };
  };
}

/** 2025-11-25 asks for a 404; older servers say 400. */
const speaksOfSession = (end: StreamEnd): boolean =>
  end.kind === "refused" && (end.status === 404 || end.status === 400);
