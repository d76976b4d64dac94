import { matchUriTemplate, parseUriTemplate } from "./uri-template.js";

const SCHEME = "cortex://";

/** The address of a connector's resource that says whose it is: `cortex://<key>/<percent-encoded URI>` (design.md, decision 4). */
export const ownUri = (key: string, uri: string): string => `${SCHEME}${key}/${encodeURIComponent(uri)}`;

/** The same for a URI template: what is literal is encoded, what is to be filled in stays. */
export function ownUriTemplate(key: string, template: string): string {
  const { literals, expressions } = parseUriTemplate(template);
  const pieces = literals.map((literal, at) => encodeURIComponent(literal) + (expressions[at] ?? ""));
  return `${SCHEME}${key}/${pieces.join("")}`;
}

/** Whose resource an address of ours names. */
export interface OwnAddress {
  readonly key: string;
  /** Still encoded. */
  readonly encoded: string;
}

/** The parts of an address of ours; `undefined` for any other URI. */
export function parseOwnUri(uri: string): OwnAddress | undefined {
  if (!uri.startsWith(SCHEME)) return undefined;
  const slash = uri.indexOf("/", SCHEME.length);
  if (slash === -1) return undefined;
  return { key: uri.slice(SCHEME.length, slash), encoded: uri.slice(slash + 1) };
}

/**
 * The connector's own URI that such an address stands for. Of one that was made from a template of the connector's, what was filled in is left as it is: whoever
 * filled it in has encoded it already.
 *
 * @param templates the connector's own
 * @returns `undefined` when it is not percent-encoded as it should be
 */
export function decodeOwnUri({ encoded }: OwnAddress, templates: readonly string[]): string | undefined {
  for (const template of templates) {
    const { literals, expressions } = parseUriTemplate(template);
    if (expressions.length === 0) continue;
    const values = matchUriTemplate({ literals: literals.map(encodeURIComponent), expressions }, encoded);
    if (values !== undefined) return literals.map((literal, at) => literal + (values[at] ?? "")).join("");
  }
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
