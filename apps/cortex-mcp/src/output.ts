/** `text` cut to its first line and to `width` columns, with an ellipsis where something is missing. */
export function shortened(text: string, width: number): string {
  const [first = "", ...more] = text.trim().split("\n");
  if (first.length <= width && more.length === 0) return first;
  return `${first.slice(0, Math.max(0, width - 1)).trimEnd()}…`;
}

/** A value as `--json` prints it. */
export const jsonText = (value: unknown): string => JSON.stringify(value, null, 2);

/** `1 tool`, `2 tools`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** A span of time as a person says it: `42 s`, `5 min`, `3 h`, `2 d`. What is less than nothing is `0 s`. */
export function durationText(milliseconds: number): string {
  let amount = Math.max(0, milliseconds) / 1_000;
  for (const [unit, most] of UNITS) {
    if (amount < most) return `${Math.floor(amount)} ${unit}`;
    amount /= unit === "h" ? 24 : 60;
  }
  return `${Math.floor(amount)} d`;
}

/** Up to how many of a unit are said in it. */
const UNITS = [
  ["s", 120],
  ["min", 120],
  ["h", 48],
] as const;
