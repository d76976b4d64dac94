/** A URI template (RFC 6570), cut into what is literal and what is filled in. */
export interface UriTemplate {
  /** Always one more than there are expressions; may be empty. */
  readonly literals: readonly string[];
  /** Each with its braces. */
  readonly expressions: readonly string[];
}

/** Never throws: braces that do not pair are literal. */
export function parseUriTemplate(template: string): UriTemplate {
  const literals: string[] = [];
  const expressions: string[] = [];
  let from = 0;
  for (let open = template.indexOf("{"); open !== -1; open = template.indexOf("{", from)) {
    const close = template.indexOf("}", open);
    if (close === -1) break;
    literals.push(template.slice(from, open));
    expressions.push(template.slice(open, close + 1));
    from = close + 1;
  }
  literals.push(template.slice(from));
  return { literals, expressions };
}

/**
 * What was filled in, one value an expression, when `uri` can have come from the template; else `undefined`.
 *
 * Only the literals are held against the URI, in their order and the first possible place: which template it is from matters here, not what the values mean. No
 * regular expression is made of what an upstream sent (CVE-2026-0621); the time is that of a search for each literal.
 */
export function matchUriTemplate({ literals }: UriTemplate, uri: string): readonly string[] | undefined {
  const [first = "", ...rest] = literals;
  const last = rest.pop();
  if (last === undefined) return uri === first ? [] : undefined;
  if (!uri.startsWith(first) || !uri.endsWith(last)) return undefined;
  const end = uri.length - last.length;
  const values: string[] = [];
  let from = first.length;
  for (const literal of rest) {
    const at = uri.indexOf(literal, from);
    if (at === -1 || at + literal.length > end) return undefined;
    values.push(uri.slice(from, at));
    from = at + literal.length;
  }
  if (from > end) return undefined;
  values.push(uri.slice(from, end));
  return values;
}

/** How much of a template is literal: of two that match, the one with more is meant. */
export const literalLength = ({ literals }: UriTemplate): number =>
  literals.reduce((sum, literal) => sum + literal.length, 0);
