import type { Monotonic, Timers } from "@cortex-os/mcp-core";
import type { StartPlaces, StartRule } from "./start-width.js";

/** What a {@link StartLine} works through. */
export interface StartLineDeps {
  readonly timers: Timers;
  readonly monotonic: Monotonic;
}

/** One connector that wants to start. */
export interface Starter {
  readonly kind: "child" | "other";
  /** Whether a list waits for it. */
  readonly isAwaited: boolean;
  /** Starts it; settles when that is over, one way or the other. */
  readonly run: () => Promise<void>;
}

/** When our own timer is so late, in milliseconds, the machine has too much to do already. */
const LATE_MS = 100;

/**
 * Lets connectors start as many at a time as a {@link StartRule} has places for, in the order in which they came, those first that somebody waits for. One that comes
 * while there is a place begins before {@link enter} returns.
 */
export class StartLine {
  readonly #deps: StartLineDeps;
  #pools: Readonly<Record<Starter["kind"], Pool>>;

  constructor(rule: StartRule, deps: StartLineDeps) {
    this.#deps = deps;
    this.#pools = this.#poolsOf(rule);
  }

  /** Another rule, for those that still wait in line and for those that come; those that have begun take no place of it. */
  follow(rule: StartRule): void {
    const before = new Set(Object.values(this.#pools));
    this.#pools = this.#poolsOf(rule);
    for (const pool of before) for (const waiting of pool.empty()) this.#pools[waiting.starter.kind].add(waiting);
  }

  /** Runs it when its turn has come. @returns when it has ended; rejects as it does */
  enter(starter: Starter): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pools[starter.kind].add({ starter, resolve, reject });
    });
  }

  #poolsOf({ child, other, waitingMs }: StartRule): Readonly<Record<Starter["kind"], Pool>> {
    const pool = new Pool(child, waitingMs, this.#deps);
    return { child: pool, other: child === other ? pool : new Pool(other, waitingMs, this.#deps) };
  }
}

interface Waiting {
  readonly starter: Starter;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class Pool {
  readonly #places: StartPlaces;
  readonly #waitingMs: number | undefined;
  readonly #deps: StartLineDeps;
  #awaited: Waiting[] = [];
  #background: Waiting[] = [];
  #taken = 0;
  #starting = 0;

  constructor(places: StartPlaces, waitingMs: number | undefined, deps: StartLineDeps) {
    this.#places = places;
    this.#waitingMs = waitingMs;
    this.#deps = deps;
  }

  add(waiting: Waiting): void {
    (waiting.starter.isAwaited ? this.#awaited : this.#background).push(waiting);
    this.#next();
  }

  /** Gives all that wait in line, in order, and has none any more. */
  empty(): readonly Waiting[] {
    const all = [...this.#awaited, ...this.#background];
    this.#awaited = [];
    this.#background = [];
    return all;
  }

  #next(): void {
    const { places, background, most } = this.#places;
    while (this.#starting < most) {
      const next = this.#taken < places ? (this.#awaited.shift() ?? this.#ifRoom(this.#taken < background)) : undefined;
      if (next === undefined) return;
      this.#begin(next);
    }
  }

  #ifRoom(isRoom: boolean): Waiting | undefined {
    return isRoom ? this.#background.shift() : undefined;
  }

  #begin({ starter, resolve, reject }: Waiting): void {
    this.#taken += 1;
    this.#starting += 1;
    const giveUp = this.#place();
    starter
      .run()
      .finally(() => {
        this.#starting -= 1;
        giveUp();
      })
      .then(resolve, reject);
  }

  /** Takes a place. @returns what gives it up, however often it is called */
  #place(): () => void {
    let cancel = (): void => {};
    let isTaken = true;
    const giveUp = (): void => {
      cancel();
      if (isTaken) this.#taken -= 1;
      isTaken = false;
      this.#next();
    };
    const { timers, monotonic } = this.#deps;
    const waitingMs = this.#waitingMs;
    if (waitingMs === undefined) return giveUp;
    const look = (): void => {
      const dueMs = monotonic.elapsedMs() + waitingMs;
      cancel = timers.after(waitingMs, () => {
        // What has not ended may be our own doing then: no more of it is begun.
        if (monotonic.elapsedMs() - dueMs > LATE_MS) look();
        else giveUp();
      });
    };
    look();
    return giveUp;
  }
}
