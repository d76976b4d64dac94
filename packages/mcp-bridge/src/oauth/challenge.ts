/** What a Bearer challenge says (RFC 6750, RFC 9728). */
export interface BearerChallenge {
  /** Where the upstream describes itself. */
  readonly resourceMetadata?: string;
  /** What would be needed, scopes with blanks between them. */
  readonly scope?: string;
  readonly error?: string;
}

const BEARER = /(?:^|,)\s*bearer(?:\s+|\s*$|\s*,)/i;
/** One parameter: a name, and a value that is quoted or a token (RFC 9110, 11.2). */
const PARAMETER = /([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi;

/**
 * The Bearer challenge among those of a `www-authenticate`. Never throws.
 *
 * @returns `undefined` when there is none
 */
export function bearerChallenge(header: string | undefined): BearerChallenge | undefined {
  const start = BEARER.exec(header ?? "");
  if (header === undefined || start === null) return undefined;
  const found = new Map<string, string>();
  for (const [, name = "", quoted, token = ""] of header.slice(start.index + start[0].length).matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, quoted?.replaceAll(/\\(.)/g, "$1") ?? token);
  }
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
