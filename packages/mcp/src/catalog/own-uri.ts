import { matchUriTemplate, parseUriTemplate, type UriTemplate } from "./uri-template.js";

const SCHEME = "cortex://";

/** Half of a surrogate pair is no character that could be encoded: clients and upstreams may send it all the same, and nothing may throw. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

/** The address of a connector's resource that says whose it is: `cortex://<key>/<percent-encoded URI>` (design.md, decision 4). */
export const ownUri = (key: string, uri: string): string => `${SCHEME}${key}/${encoded(uri)}`;

/** The same for a URI template: what is literal is encoded, what is to be filled in stays. */
export function ownUriTemplate(key: string, template: string | UriTemplate): string {
  const { literals, expressions } = typeof template === "string" ? parseUriTemplate(template) : template;
  const pieces = literals.map((literal, at) => encoded(literal) + (expressions[at] ?? ""));
  return `${SCHEME}${key}/${pieces.join("")}`;
}

/**
 * An address of ours that {@link decodeOwnUri} reads as this URI again: what a template of the connector's could have filled in stays as it is, because that is
 * how it is read.
 *
 * @param templates the connector's own
 */
export function ownUriAmong(key: string, uri: string, templates: readonly string[]): string {
  const plain = ownUri(key, uri);
  const forms = [plain];
  for (const template of templates) {
    const parsed = parseUriTemplate(template);
    const values = matchUriTemplate(parsed, uri);
    if (values === undefined) continue;
    forms.push(ownUriTemplate(key, { literals: parsed.literals, expressions: values }));
    break;
  }
  const isRead = (form: string): boolean => {
    const address = parseOwnUri(form);
    return address !== undefined && decodeOwnUri(address, templates) === uri;
  };
  return forms.find(isRead) ?? plain;
}

/** Whose resource an address of ours names. */
export interface OwnAddress {
  readonly key: string;
  /** Still encoded. */
  readonly encoded: string;
}

/** Whether a URI is in the name space of our addresses: whoever has it, no upstream can speak for another one there. */
export const isOwnUri = (uri: string): boolean => uri.startsWith(SCHEME);

/** The parts of an address of ours; `undefined` for any other URI. */
export function parseOwnUri(uri: string): OwnAddress | undefined {
  if (!isOwnUri(uri)) return undefined;
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
export function decodeOwnUri({ encoded: given }: OwnAddress, templates: readonly string[]): string | undefined {
  for (const template of templates) {
    const { literals, expressions } = parseUriTemplate(template);
    if (expressions.length === 0) continue;
    const values = matchUriTemplate({ literals: literals.map(encoded), expressions }, given);
    if (values !== undefined) return literals.map((literal, at) => literal + (values[at] ?? "")).join("");
  }
  try {
    return decodeURIComponent(given);
  } catch {
    return undefined;
  }
}
