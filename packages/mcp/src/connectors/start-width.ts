import { availableParallelism } from "node:os";

/** How many connectors may be starting at a time: a number of them, or as many as is of use. */
export type StartWidth = number | "adaptive";

/** How many of those that are alike may be starting at a time. */
export interface StartPlaces {
  /** For those that somebody waits for. */
  readonly places: number;
  /** How many of these may be taken by those that nobody waits for, because what they offer is served already. */
  readonly background: number;
  /** How many may be starting with those that gave their place up. */
  readonly most: number;
}

/** What a {@link StartWidth} comes to. */
export interface StartRule {
  /** For child processes, which take a processor and memory to start. */
  readonly child: StartPlaces;
  /** For all others, which wait for an answer; the very same object where the two share their places. */
  readonly other: StartPlaces;
  /** After how many milliseconds one that has not settled is taken to wait for something that is not ours, and gives its place up. @default never */
  readonly waitingMs?: number;
}

/** So many children keep a processor busy, and no more of them than it can start within their time-outs. */
const CHILDREN_PER_CORE = 4;
const LEAST_CHILDREN = 16;
/** A socket costs little while it waits; ten thousand of them in one moment would be a herd. */
const OTHERS = 256;
const WAITING_MS = 1_000;

/**
 * The whole rule of how many start at once, with no clock and no process in sight. A number means what it says: no more than that, whatever they wait for.
 * Adaptive is wide for what only waits, as wide as the processors for what works, and wider with each second in which those that began have not ended.
 *
 * @throws TypeError for a number that is no whole one from 1 on
 */
export function startRule(width: StartWidth, cores: number = availableParallelism()): StartRule {
  if (width === "adaptive") {
    const child = adaptive(Math.max(LEAST_CHILDREN, CHILDREN_PER_CORE * cores));
    return { child, other: adaptive(OTHERS), waitingMs: WAITING_MS };
  }
  if (!Number.isInteger(width) || width < 1)
    throw new TypeError(`A start width must be "adaptive" or a whole number from 1 on, got ${width}`);
  const shared = { places: width, background: width, most: width };
  return { child: shared, other: shared };
}

const adaptive = (places: number): StartPlaces => ({ places, background: places / 4, most: 4 * places });
