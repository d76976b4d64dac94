import { LONGEST_DELAY_MS } from "../timers.js";

const NEVER_NOTIFIED = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/**
 * Stops the whole thread for `ms` milliseconds, fractions too: nothing else runs meanwhile. Only for waits far shorter than anybody would notice, in
 * what must be done before a synchronous call returns. What is no length of time, or too long a one, is no pause.
 */
export function systemPause(ms: number): void {
  // Atomics.wait takes NaN for "for ever".
  if (ms > 0 && ms <= LONGEST_DELAY_MS) Atomics.wait(NEVER_NOTIFIED, 0, 0, ms);
}
