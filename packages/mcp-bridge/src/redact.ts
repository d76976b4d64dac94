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
