import type { Comparison } from "./comparison.js";
import type { OnRound } from "./on-round.js";
import type { Cell } from "./summary.js";

/** What a suite found. */
export interface SuiteResult {
  readonly comparisons: readonly Comparison[];
  /** For people, besides the comparisons. */
  readonly text?: string;
  /** For machines, besides the comparisons. */
  readonly details?: object;
  /** What each way showed, where ways were put under load. */
  readonly cells?: readonly Cell[];
  /** A picture for the documents (SVG). */
  readonly plot?: string;
}

/** One program among the benchmarks. */
export interface Suite {
  readonly name: string;
  /** Whether the quick form runs it without being asked for it by name. @default true */
  readonly isQuick?: boolean;
  readonly run: (onRound: OnRound) => Promise<SuiteResult>;
}
