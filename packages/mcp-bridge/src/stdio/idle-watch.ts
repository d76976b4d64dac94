import type { Timers } from "@cortex-os/mcp-core";

/** What an {@link IdleWatch} works through. */
export interface IdleWatchDeps {
  readonly timers: Timers;
  /** After how many milliseconds without use it is idle; 0: never. */
  readonly idleMs: number;
  /** Whether somebody waits for something, or wants to hear something, right now. */
  readonly isBusy: () => boolean;
  /** Nothing was asked of it for that long, and nobody waits. Called at most once. */
  readonly onIdle: () => void;
}

/** How often it is looked in that time: being used costs no more than a count then, and the time is kept to a quarter. */
const LOOKS = 4;

/** Tells when nothing has been asked of something for a while. */
export class IdleWatch {
  readonly #deps: IdleWatchDeps;
  #uses = 0;
  #usesSeen = 0;
  #quietLooks = 0;
  #wasBusy = false;
  #cancel: () => void = () => {};

  constructor(deps: IdleWatchDeps) {
    this.#deps = deps;
  }

  /** Something is asked of it. */
  used(): void {
    this.#uses += 1;
  }

  /** Its time begins. */
  start(): void {
    const { idleMs, timers } = this.#deps;
    if (idleMs > 0) this.#cancel = timers.after(idleMs / LOOKS, () => this.#look());
  }

  /** Nothing is told any more. Idempotent. */
  stop(): void {
    this.#cancel();
  }

  #look(): void {
    // What ended between two looks took a part of that time: its own begins with the next look.
    const wasBusy = this.#wasBusy;
    this.#wasBusy = this.#deps.isBusy();
    const isQuiet = this.#uses === this.#usesSeen && !wasBusy && !this.#wasBusy;
    this.#usesSeen = this.#uses;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    if (this.#quietLooks < LOOKS) this.start();
    else this.#deps.onIdle();
  }
}
