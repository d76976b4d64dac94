/** Tells the wall-clock time. Wall clocks jump: measure elapsed time with {@link Monotonic} (R17). */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A source that never runs backwards, for elapsed time. */
export interface Monotonic {
  /** Milliseconds since an arbitrary moment in this process. */
  elapsedMs(): number;
}
