import type { Comparison } from "./comparison.js";

/** A part of what is measured of a registry. */
export interface RegistryPart {
  /** Measures a round, the first one to warm up. */
  readonly measure: () => Promise<void>;
  /** What the rounds showed. */
  readonly comparisons: () => readonly Comparison[];
}
