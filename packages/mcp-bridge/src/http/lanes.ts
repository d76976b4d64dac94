import type { Dispatcher } from "undici";

/**
 * Which sockets an exchange takes. Streams have their own, because ten of them must not starve the calls; handshakes, goodbyes,
 * notes and lists have theirs, because calls must not starve them.
 */
export type Lane = "calls" | "streams" | "sessions" | "control";

/** Most sockets of each lane to one upstream; what comes beyond waits in line. */
export const CONNECTIONS: Readonly<Record<Lane, number>> = {
  calls: 128,
  /** The gateway holds one or two long streams per upstream. */
  streams: 16,
  /**
   * The streams of clients' sessions must not starve the gateway's own; more than that are opened when others end. Nearly every legacy client can be asked something,
   * and has one.
   */
  sessions: 1_024,
  /** Short requests of the gateway's own: as many long calls as there may be must not lock out a handshake. */
  control: 8,
};

/** The sockets towards one upstream, by lane. A lane is made when it is first taken: an idle pool costs some 18 KiB, and there may be a thousand upstreams that nobody calls. */
export class Lanes {
  readonly #make: (lane: Lane) => Dispatcher | undefined;
  readonly #isOwner: boolean;
  readonly #made = new Map<Lane, Dispatcher>();
  #destroyed: Promise<void> | undefined;

  /**
   * @param make a lane; `undefined` as long as none can be made
   * @param isOwner whether {@link destroy} ends what `make` gave
   */
  constructor(make: (lane: Lane) => Dispatcher | undefined, isOwner: boolean) {
    this.#make = make;
    this.#isOwner = isOwner;
  }

  /** The dispatcher of a lane, when there can be one; after {@link destroy} one that fails everything, if they are its own. */
  of(lane: Lane): Dispatcher | undefined {
    const made = this.#made.get(lane);
    if (made !== undefined) return made;
    const dispatcher = this.#make(lane);
    if (dispatcher === undefined) return undefined;
    this.#made.set(lane, dispatcher);
    if (this.#destroyed !== undefined && this.#isOwner) void dispatcher.destroy();
    return dispatcher;
  }

  /** Ends the lanes that are its own; what is in flight breaks. Idempotent. */
  destroy(): Promise<void> {
    const owned = this.#isOwner ? [...this.#made.values()] : [];
    this.#destroyed ??= Promise.all(owned.map((dispatcher) => dispatcher.destroy())).then(() => {});
    return this.#destroyed;
  }
}
