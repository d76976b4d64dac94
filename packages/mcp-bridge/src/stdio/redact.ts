/** Shorter values are no secrets but settings (`1`, `on`), and hiding them would make a log unreadable. */
const SHORTEST_SECRET = 4;

/** Hides the secrets it was made with in any text. */
export interface Redactor {
  (text: string): string;
  /** Length of the longest secret in UTF-16 units: how much of its neighbourhood a cut text needs. */
  readonly longest: number;
}

/**
 * A function that replaces every one of `secrets` in a text by `[redacted]`. A secret of several lines is hidden line by line,
 * because that is how output is read.
 */
export function redactorOf(secrets: Iterable<string>): Redactor {
  const hidden = new Set<string>();
  for (const secret of secrets) {
    for (const line of secret.split(/\r?\n/)) {
      if (line.trim().length >= SHORTEST_SECRET) hidden.add(line.trim());
    }
  }
  // Longest first: a secret that holds another one must not be left with its other half showing.
  const ordered = [...hidden].toSorted((a, b) => b.length - a.length);
  const redact = (text: string): string =>
    ordered.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
  return Object.assign(redact, { longest: ordered[0]?.length ?? 0 });
}

/** Upstream text on one line, control characters gone and cut to `max` characters: fit for a reason or a log line. */
export function printable(text: string, max = 200): string {
  const plain = text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, " ").trim();
  return plain.length <= max ? plain : `${plain.slice(0, max - 1)}…`;
}
