import type { RandomSource, Timers } from "@cortex-os/mcp-core";
import { SERVER_FEATURES, type ServerFeature } from "@cortex-os/mcp-core/wire";

/** Who hears that lists changed. */
export interface ListListener {
  listChanged(feature: ServerFeature): void;
}

/** What a {@link Herd} works through. */
export interface HerdDeps {
  readonly timers: Timers;
  readonly random: RandomSource;
}

/** Most listeners that are told in one turn of the event loop: telling one costs some 30 µs, and calls wait meanwhile. */
const TOLD_IN_ONE_TURN = 64;
/** So many are told as soon as the event loop allows: the lists that they ask for then are no herd yet. */
const FEW = 256;
/** More than {@link FEW} are told at this rate, each of them asking for its lists again soon after. */
const TOLD_A_SECOND = 2_000;
/** However many there are, the last of them is not told later than about this. */
const LONGEST_MS = 10_000;

/** How long to wait between two turns when so many listeners are to be told, in milliseconds, on average. */
function gapFor(listeners: number): number {
  if (listeners <= FEW) return 0;
  const inAll = Math.min((listeners * 1_000) / TOLD_A_SECOND, LONGEST_MS);
  return (inAll * TOLD_IN_ONE_TURN) / listeners;
}

/**
 * Tells listeners that lists changed: a few at once, many one part after the other, so that neither the telling holds the event loop nor the lists that all of them
 * ask for then come at one instant. Whoever waits to be told is told once, however much changes meanwhile; whoever was told before the last change is told again.
 */
export class Herd {
  readonly #deps: HerdDeps;
  /** Who is to be told of what, the longest waiting first. */
  readonly #waiting = new Map<ListListener, Features>();
  /** The most that waited since nobody did: the rest is told as evenly as the first. */
  #most = 0;
  #cancel: (() => void) | undefined;

  constructor(deps: HerdDeps) {
    this.#deps = deps;
  }

  /** How many are still to be told. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The lists of these features changed for these listeners: {@link tell} them. */
  add(listeners: readonly ListListener[], changed: ReadonlySet<ServerFeature>): void {
    const features = featuresOf(changed);
    // Nobody is always the last.
    const first = Math.floor(this.#deps.random.next() * listeners.length);
    for (let at = 0; at < listeners.length; at += 1) {
      const listener = listeners[(first + at) % listeners.length];
      if (listener !== undefined) this.#waiting.set(listener, features | (this.#waiting.get(listener) ?? 0));
    }
  }

  /** Begins to tell those that were added, unless others are being told: then their turn comes. The first are told before this returns. */
  tell(): void {
    this.#most = Math.max(this.#most, this.#waiting.size);
    if (this.#cancel === undefined) this.#turn();
  }

  /** Nobody is told any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting.clear();
    this.#most = 0;
  }

  #turn(): void {
    let told = 0;
    for (const [listener, features] of this.#waiting) {
      if (told === TOLD_IN_ONE_TURN) break;
      told += 1;
      this.#waiting.delete(listener);
      for (const [at, feature] of SERVER_FEATURES.entries())
        if ((features & (1 << at)) !== 0) listener.listChanged(feature);
    }
    if (this.#waiting.size === 0) {
      this.#most = 0;
      return;
    }
    // Several replicas that hear of a change at the same instant do not go on in step.
    const jitter = 0.5 + this.#deps.random.next();
    this.#cancel = this.#deps.timers.after(gapFor(this.#most) * jitter, () => {
      this.#cancel = undefined;
      this.#turn();
    });
  }
}

/** A set of features as bits: there may be ten thousand listeners, each with its own. */
type Features = number;

function featuresOf(changed: ReadonlySet<ServerFeature>): Features {
  let features = 0;
  for (const [at, feature] of SERVER_FEATURES.entries()) if (changed.has(feature)) features |= 1 << at;
  return features;
}
