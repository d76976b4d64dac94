import { ByteBudget } from "@cortex-os/mcp-bridge";

/** What remembering one event costs beside its bytes, with its share of the stream around it: millions of tiny ones must not be free. */
const EVENT_OVERHEAD_BYTES = 1024;
/** A copy this small costs less than what it frees: a piece of a chunk keeps the whole chunk. */
const COPIED_BYTES = 16 * 1024;

/** How many bytes of events may be held to be said again. */
export interface EventLogLimits {
  /** Of one stream. @default 4 MiB */
  readonly streamBytes: number;
  /** Of all streams of one session. @default 8 MiB */
  readonly sessionBytes: number;
  /** Of all streams of all sessions. @default 64 MiB */
  readonly allBytes: number;
  /** Of a session's GET stream. @default 256 KiB */
  readonly standingBytes: number;
}

const MIB = 1024 * 1024;

/** {@link EventLogLimits}' defaults. */
export const DEFAULT_EVENT_LOG_LIMITS: EventLogLimits = {
  streamBytes: 4 * MIB,
  sessionBytes: 8 * MIB,
  allBytes: 64 * MIB,
  standingBytes: 256 * 1024,
};

/** Something that is held although nobody may ever ask for it again. */
export interface Forgettable {
  /** Gives back all that it holds. */
  forget(): void;
}

/** What event logs may hold: of one session within what all may hold, and who is forgotten first when that is not enough. */
export class EventMemory {
  readonly #budget: ByteBudget;
  readonly #parent: EventMemory | undefined;
  /** What may be forgotten when others need the room, the oldest first. */
  readonly #spare = new Set<Forgettable>();

  constructor(maxBytes: number, parent?: EventMemory) {
    this.#budget = new ByteBudget(maxBytes, parent?.budget);
    this.#parent = parent;
  }

  /** The bytes behind it. */
  get budget(): ByteBudget {
    return this.#budget;
  }

  /** From now on it is forgotten when others need the room. */
  mayForget(stream: Forgettable): void {
    this.#spare.add(stream);
    this.#parent?.mayForget(stream);
  }

  /** It holds nothing any more. */
  forgotten(stream: Forgettable): void {
    this.#spare.delete(stream);
    this.#parent?.forgotten(stream);
  }

  /** @returns false when there is no room, not even after all was forgotten that may be */
  take(bytes: number): boolean {
    while (this.#budget.take(bytes) !== undefined) {
      // What others hold is of no use while the bound is this one's own.
      const isOwn = this.#budget.held + bytes > this.#budget.maxBytes;
      const crowded = isOwn ? this : this.#parent;
      if (crowded === undefined || !crowded.#forgetOne()) return false;
    }
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#budget.give(bytes);
  }

  #forgetOne(): boolean {
    for (const oldest of this.#spare) {
      oldest.forget();
      return true;
    }
    return false;
  }
}

/** One event as it was said, without its id. */
export interface LoggedEvent {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * What was said on one stream and may have to be said again. Its positions count events: 0 is before the first. Within its bounds, the oldest
 * events go first.
 */
export class EventLog {
  readonly #memory: EventMemory;
  readonly #maxBytes: number;
  #events: LoggedEvent[] = [];
  /** Index of the oldest that is held: taking each away from the array's front would move all the others. */
  #first = 0;
  #bytes = 0;
  #last = 0;
  /** Events up to this position are not held any more. */
  #gone = 0;

  /** @param maxBytes most that this log alone may hold */
  constructor(memory: EventMemory, maxBytes: number) {
    this.#memory = memory;
    this.#maxBytes = maxBytes;
  }

  /** The position of the newest event; 0 while there is none. */
  get last(): number {
    return this.#last;
  }

  /**
   * Takes in the next event and makes room for it.
   *
   * @param keepFrom events from this position on may not be dropped for it
   * @returns whether it is held; one that is not still has its position, and nothing before it can be asked for any more
   */
  add(bytes: Uint8Array, keepFrom: number): boolean {
    const position = (this.#last += 1);
    const cost = costOf(bytes);
    while (this.#bytes + cost > this.#maxBytes || !this.#memory.take(cost)) {
      const oldest = this.#events[this.#first];
      if (oldest === undefined || oldest.position >= keepFrom) {
        this.#gone = position;
        return false;
      }
      this.#drop(oldest);
    }
    this.#bytes += cost;
    this.#events.push({ position, bytes: ownBytes(bytes) });
    return true;
  }

  /** What came after `position`; `undefined` when some of it is not held any more, or the position never was. */
  since(position: number): readonly LoggedEvent[] | undefined {
    if (position < this.#gone || position > this.#last) return undefined;
    return this.#events.slice(this.#first).filter((event) => event.position > position);
  }

  /** Lets go of all events; their positions stay taken. */
  clear(): void {
    this.#memory.give(this.#bytes);
    this.#bytes = 0;
    this.#events = [];
    this.#first = 0;
    this.#gone = this.#last;
  }

  #drop({ position, bytes }: LoggedEvent): void {
    const cost = costOf(bytes);
    this.#bytes -= cost;
    this.#memory.give(cost);
    this.#gone = position;
    this.#first += 1;
    if (this.#first < this.#events.length / 2) return;
    this.#events = this.#events.slice(this.#first);
    this.#first = 0;
  }
}

const costOf = (bytes: Uint8Array): number => bytes.length + EVENT_OVERHEAD_BYTES;

function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length <= COPIED_BYTES && bytes.buffer.byteLength > bytes.length ? new Uint8Array(bytes) : bytes;
}
