/** One run of the official suite's server mode: a version of the suite, a protocol revision, and the score that a server can reach there. */
export interface SuiteRun {
  /** The alias of the suite's package in this package's dependencies. */
  readonly suite: "conformance-0.1" | "conformance-0.2";
  readonly revision: string;
  /** Which of the fixture's eras serves it. A gateway that may choose would choose the modern one for every client. */
  readonly era: "legacy" | "modern";
  /** How many checks pass when a server that has everything is called directly; none fails. */
  readonly ceiling: number;
}

/** Every version of the suite with every revision that it knows. */
export const SUITE_RUNS: readonly SuiteRun[] = [
  { suite: "conformance-0.1", revision: "2025-06-18", era: "legacy", ceiling: 26 },
  { suite: "conformance-0.1", revision: "2025-11-25", era: "legacy", ceiling: 47 },
  { suite: "conformance-0.2", revision: "2025-03-26", era: "legacy", ceiling: 3 },
  { suite: "conformance-0.2", revision: "2025-06-18", era: "legacy", ceiling: 56 },
  { suite: "conformance-0.2", revision: "2025-11-25", era: "legacy", ceiling: 84 },
  { suite: "conformance-0.2", revision: "2026-07-28", era: "modern", ceiling: 153 },
];
