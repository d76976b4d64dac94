/** One run of the official suite's client mode: a version of the suite, a protocol revision, and the score of a correct client with the gateway between. */
export interface ClientRun {
  /** The alias of the suite's package in this package's dependencies. */
  readonly suite: "conformance-0.1" | "conformance-0.2";
  readonly revision: string;
  /** How many checks pass; none fails. */
  readonly ceiling: number;
}

/**
 * Every version of the suite with every revision that it has scenarios for, but 0.1.16 with 2025-03-26: there an authorization server names another issuer than the one its
 * metadata is found at, which 2026-07-28 has clients refuse (and 0.2.0 has mended).
 */
export const CLIENT_RUNS: readonly ClientRun[] = [
  { suite: "conformance-0.1", revision: "2025-06-18", ceiling: 59 },
  { suite: "conformance-0.1", revision: "2025-11-25", ceiling: 231 },
  { suite: "conformance-0.2", revision: "2025-03-26", ceiling: 21 },
  { suite: "conformance-0.2", revision: "2025-06-18", ceiling: 63 },
  { suite: "conformance-0.2", revision: "2025-11-25", ceiling: 264 },
  { suite: "conformance-0.2", revision: "2026-07-28", ceiling: 413 },
];
