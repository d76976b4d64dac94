/** What a Bearer challenge says (RFC 6750, RFC 9728). */
export interface BearerChallenge {
  /** Where the upstream describes itself. */
  readonly resourceMetadata?: string;
  /** What would be needed, scopes with blanks between them. */
  readonly scope?: string;
  readonly error?: string;
}

/**
 * One step through a list of challenges (RFC 9110, 11.6.1): what separates it from the last one, a word, and the value if the word is a parameter's name. Every step begins
 * where the last one ended: whoever sends the header must not decide how long it is looked at.
 */
const STEP = /([\s,]*)([\w!#$%&'*+.^`|~/-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;

/**
 * The first Bearer challenge among those of a `www-authenticate`. Never throws.
 *
 * @returns `undefined` when there is none
 */
export function bearerChallenge(header: string | undefined): BearerChallenge | undefined {
  let found: Map<string, string> | undefined;
  STEP.lastIndex = 0;
  for (let step = STEP.exec(header ?? ""); step !== null; step = STEP.exec(header ?? "")) {
    const [, separator = "", word = "", quoted, token] = step;
    const name = word.toLowerCase();
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? token;
    if (value !== undefined) {
      if (found?.has(name) === false) found.set(name, value);
    } else if (step.index === 0 || separator.includes(",")) {
      // The name of a scheme: what comes now is said of that one.
      if (found !== undefined) break;
      if (name === "bearer") found = new Map();
    }
  }
  if (found === undefined) return undefined;
  const resourceMetadata = found.get("resource_metadata");
  const scope = found.get("scope");
  const error = found.get("error");
  return {
    ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
    ...(scope === undefined ? {} : { scope }),
    ...(error === undefined ? {} : { error }),
  };
}

/**
 * What is wanted when a request was refused: `undefined` when that has nothing to do with OAuth. A 401 without any challenge counts, because servers of 2025-03-26
 * sent none; a 403 only when it says that scopes are missing.
 */
export function wantedBy(status: 401 | 403, header: string | undefined): BearerChallenge | undefined {
  if (status === 401 && (header === undefined || header.trim() === "")) return {};
  const challenge = bearerChallenge(header);
  return status === 401 || challenge?.error === "insufficient_scope" ? challenge : undefined;
}
