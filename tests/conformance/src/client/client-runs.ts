/** One run of the official suite's client mode: a version of the suite, a protocol revision, and the score that a correct client reaches there. */
export interface ClientRun {
  /** The alias of the suite's package in this package's dependencies. */
  readonly suite: "conformance-0.1" | "conformance-0.2";
  readonly revision: string;
  /** How many checks pass; none fails. */
  readonly ceiling: number;
}
