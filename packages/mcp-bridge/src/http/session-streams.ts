import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import type { EarListener } from "../listening/ear.js";
import { Listening, type ListeningPorts } from "../listening/listening.js";
import { isResourceUpdate } from "../listening/notifications.js";
import { closedFailure } from "./failures.js";
import { getStreams, type GetStreamDeps } from "./get-stream.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { LegacySession } from "./legacy-session.js";

/** What {@link SessionStreams} work through. */
export interface SessionStreamsDeps extends Pick<ListeningPorts, "logger" | "timers" | "monotonic" | "random"> {
  readonly upstream: HttpUpstream;
  /** How long a stream that is just being opened is waited for, in milliseconds. */
  readonly openMs: number;
  readonly questions: GetStreamDeps["questions"];
  /** What is told in a session; of lists and resources, the gateway's own session tells. */
  readonly onNotification: (notification: JsonRpcNotification, sessionKey: string) => void;
  readonly onGone: (error: GatewayError) => void;
}

interface Entry {
  readonly session: LegacySession;
  readonly listening: Listening;
  /** When it is open, or there is none, or it takes too long. */
  readonly opened: Promise<void>;
  /** Nobody needs to wait for it any more. */
  readonly settled: () => void;
  isSettled: boolean;
}

/**
 * The streams of clients' own sessions with a legacy upstream: what their tools log and ask belongs to no request for many servers, and comes there. One is opened
 * for a client that has asked for log messages or can be asked itself, and for nobody else.
 */
export class SessionStreams {
  readonly #deps: SessionStreamsDeps;
  readonly #entries = new Map<string, Entry>();
  #isOver = false;

  constructor(deps: SessionStreamsDeps) {
    this.#deps = deps;
  }

  /** Opens the session's stream, unless it was. @returns when it is open, or there is none, or it takes too long */
  open(session: LegacySession, sessionKey: string): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const existing = this.#entries.get(sessionKey);
    if (existing?.session === session) return existing.opened;
    this.end(sessionKey, closedFailure(this.#deps.upstream.key));
    let settled = (): void => {};
    const opened = new Promise<void>((resolve) => {
      const over = (): void => {
        entry.isSettled = true;
        resolve();
      };
      const cancel = this.#deps.timers.after(this.#deps.openMs, over);
      settled = () => {
        cancel();
        over();
      };
    });
    const listening = this.#create(session, sessionKey, () => settled());
    const entry: Entry = { session, listening, opened, settled, isSettled: false };
    this.#entries.set(sessionKey, entry);
    listening.start();
    return opened;
  }

  /** Calls `then` when the stream of a client that can be asked is open, or there is none, or it takes too long; at once, if that is known already. */
  before(session: LegacySession, then: () => void): void {
    const sessionKey = session.client?.sessionKey;
    const existing = sessionKey === undefined ? undefined : this.#entries.get(sessionKey);
    if (sessionKey === undefined || (existing?.session === session && existing.isSettled)) then();
    else void this.open(session, sessionKey).then(then);
  }

  /** The upstream has forgotten the session: its stream says nothing any more. */
  restart(session: LegacySession): void {
    for (const entry of this.#entries.values()) if (entry.session === session) entry.listening.restart();
  }

  end(sessionKey: string, error: GatewayError): void {
    const entry = this.#entries.get(sessionKey);
    this.#entries.delete(sessionKey);
    entry?.listening.stop(error);
    entry?.settled();
  }

  /** Ends all of them, and opens no more. */
  endAll(error: GatewayError): void {
    this.#isOver = true;
    for (const sessionKey of [...this.#entries.keys()]) this.end(sessionKey, error);
  }

  /** @param settled called when the stream is open, or has ended, and then again */
  #create(session: LegacySession, sessionKey: string, settled: () => void): Listening {
    const { onNotification, upstream } = this.#deps;
    const getStream = getStreams({ ...this.#deps, session, lane: "sessions" });
    return new Listening({
      ...this.#deps,
      key: upstream.key,
      features: [],
      acknowledges: false,
      subscribeMs: 0,
      open: (_, listener) => getStream(watched(listener, settled)),
      onListChanged: () => {},
      onMissed: () => {},
      onNotification: (notification) => {
        if (!isResourceUpdate(notification)) onNotification(notification, sessionKey);
      },
    });
  }
}

function watched(listener: EarListener, settled: () => void): EarListener {
  return {
    onOpen() {
      settled();
      listener.onOpen();
    },
    onNotification: (notification) => listener.onNotification(notification),
    onEnd(end) {
      settled();
      listener.onEnd(end);
    },
  };
}
