/** Upstream text on one printable line, cut to `max` characters: fit for a reason or a log line. */
export function printable(text: string, max = 200): string {
  // What is far beyond the cut is not even looked at: an upstream's text may be very long.
  const line = text
    .slice(0, 4 * max)
    .replaceAll(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  if (line.length <= max && text.length <= 4 * max) return line;
  // Half a character at the cut would not be printable.
  return `${line.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Text that an upstream sent, fit for a message of ours: marked as such (design.md, decision 7), printable, at most 200 characters. */
export function quoteUpstream(text: string): string {
  const line = printable(text);
  return line === "" ? "(no text)" : `(upstream text: "${line}")`;
}
