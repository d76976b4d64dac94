/** Largest service map in bytes, decoded (reliability.md, 5.2): an endless one must not fill the memory. */
export const MAX_SERVICE_MAP_BYTES = 1_048_576;

/** Longest time to live of a service map in seconds: a day (reliability.md, 5.2). */
export const MAX_TTL_SECONDS = 86_400;

/** How far in the future a service map may have been made, in milliseconds: the publisher's clock and ours differ (reliability.md, 5.2). */
export const MAX_CLOCK_SKEW_MS = 60_000;

/**
 * Most values and member names of a service map together. Reading costs time for each of them rather than for each byte, and a megabyte of
 * `[[],[],…` would hold up a gateway for seconds. A plain connector has 20.
 */
export const MAX_JSON_NODES = 100_000;
