/** Whether it can be a time to live: a whole number of milliseconds from 0 on (2026-07-28, Caching). */
export const isTtl = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** The hints of what says nothing true of how long it is good, or for whom: nobody may keep it. */
export const NOT_TO_KEEP = { ttlMs: 0, cacheScope: "private" } as const;
