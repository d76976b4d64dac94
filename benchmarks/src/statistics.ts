/** The value below which `share` of `values` lie; 0 for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** The middle value; what one noisy round cannot move. */
export const median = (values: readonly number[]): number => percentile(values, 0.5);
