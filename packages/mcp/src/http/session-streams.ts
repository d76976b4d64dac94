import type { ServerResponse } from "node:http";
import type { ClientSession } from "../gateway/client-session.js";
import { ClientStream, type ClientStreamDeps, type Resumed, type StreamOwner } from "./client-stream.js";
import { EventMemory } from "./event-log.js";
import { STANDING, StandingStream } from "./standing-stream.js";
import { StreamIds } from "./stream-ids.js";

/** What {@link ClientStreams} work through. */
export type ClientStreamsDeps = Omit<ClientStreamDeps, "ids" | "memory" | "isPrimed">;

/** What a client is told that cannot go on with the stream it names. */
export type Resumption = Resumed | "unknown";

/** The answers and the GET stream of one legacy session, as far as they are event streams. */
export class SessionStreams {
  readonly #deps: ClientStreamDeps;
  readonly #open = new Map<number, ClientStream>();
  readonly #standing: StandingStream;
  #lastNumber = STANDING;

  constructor(session: ClientSession, deps: ClientStreamDeps) {
    this.#deps = deps;
    this.#standing = new StandingStream(session, deps);
    session.whenEnded(() => {
      for (const stream of [...this.#open.values()]) stream.forget();
      this.#standing.forget();
    });
  }

  /** After so many milliseconds a connection is ended although its call still waits; `undefined`: never, or not this client's. */
  get maxConnectionMs(): number | undefined {
    const { isPrimed, policy } = this.#deps;
    return isPrimed && policy.maxConnectionMs > 0 ? policy.maxConnectionMs : undefined;
  }

  /** Whether the client knows how to come back for the rest of an answer, and could. */
  get canBeSentAway(): boolean {
    return this.#deps.isPrimed && this.#deps.isAccepting();
  }

  /** Begins an event stream on a response. @param maxWaitingBytes bytes that may wait for its reader, as in `SseDeps` */
  begin(response: ServerResponse, owner: StreamOwner, maxWaitingBytes?: number): ClientStream {
    const number = (this.#lastNumber += 1);
    const stream = new ClientStream(number, this.#deps, owner, () => this.#open.delete(number));
    this.#open.set(number, stream);
    stream.open(response, maxWaitingBytes);
    return stream;
  }

  /** Opens the GET stream. */
  listen(response: ServerResponse): void {
    this.#standing.open(response);
  }

  /** Goes on after the event of that id. Unless it is `resumed`, the response was not touched. */
  resume(lastEventId: string, response: ServerResponse): Resumption {
    const place = this.#deps.ids.read(lastEventId);
    if (place === undefined) return "unknown";
    if (place.stream === STANDING) return this.#standing.resume(response, place.position) ? "resumed" : "unknown";
    return this.#open.get(place.stream)?.resume(response, place.position) ?? "unknown";
  }
}

/** The first revision whose clients know of events that have an id and no data. */
const PRIMED_SINCE = "2025-11-25";

/** The event streams of every legacy session of one HTTP front. */
export class ClientStreams {
  readonly #deps: ClientStreamsDeps;
  readonly #memory: EventMemory;
  readonly #bySession = new WeakMap<ClientSession, SessionStreams>();

  constructor(deps: ClientStreamsDeps) {
    this.#deps = deps;
    this.#memory = new EventMemory(deps.limits.allBytes);
  }

  /** Those of this session. */
  of(session: ClientSession): SessionStreams {
    let streams = this.#bySession.get(session);
    if (streams !== undefined) return streams;
    streams = new SessionStreams(session, {
      ...this.#deps,
      ids: new StreamIds(),
      memory: new EventMemory(this.#deps.limits.sessionBytes, this.#memory),
      isPrimed: session.caller.revision >= PRIMED_SINCE,
    });
    this.#bySession.set(session, streams);
    return streams;
  }
}
