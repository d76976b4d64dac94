import type { RandomSource } from "../random.js";

/** Chance good enough for jitter; never for ids or secrets (those come from `node:crypto`). */
export const systemRandom: RandomSource = { next: () => Math.random() };
