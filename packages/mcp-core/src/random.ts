/** A source of chance. Injected, so that jitter and backoff can be tested by numbers (R17). */
export interface RandomSource {
  /** A number in [0, 1). */
  next(): number;
}
