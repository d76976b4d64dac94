/** The furthest moment that a `Date` can hold, in milliseconds since the epoch. */
const LAST_MS = 8.64e15;

/** A moment in milliseconds since the epoch as RFC 3339; `undefined` for one that has no such text, as the end of an unlimited time. */
export function timeText(ms: number | undefined): string | undefined {
  return ms !== undefined && Math.abs(ms) <= LAST_MS ? new Date(ms).toISOString() : undefined;
}
