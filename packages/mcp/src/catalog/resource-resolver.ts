import type { CatalogEntry } from "./catalog-entry.js";
import { decodeOwnUri, ownUriAmong, parseOwnUri } from "./own-uri.js";
import { literalLength, matchUriTemplate, parseUriTemplate, type UriTemplate } from "./uri-template.js";

/** Whose resource a URI names, or why that cannot be said. */
export type ResolvedUri =
  | {
      readonly ok: true;
      readonly connector: string;
      /** As the upstream knows it. */
      readonly uri: string;
    }
  | {
      readonly ok: false;
      /** The connectors it could be of, sorted; none when nobody offers resources, or when it is an address of ours that names no connector. */
      readonly candidates: readonly string[];
    };

/**
 * Longest URI, in UTF-16 units, that is held against templates: twenty thousand of them and a URI as long as a message may be would keep everybody waiting for half a
 * minute. Longer ones are read by what is listed, and by their scheme.
 */
const MAX_MATCHED = 8_192;

interface ParsedTemplate {
  readonly entry: CatalogEntry;
  readonly template: UriTemplate;
}

/**
 * Says whose a URI is (design.md, decision 4): that of a listed resource; one of ours, `cortex://<key>/…`; one that a single connector's template makes; else the
 * only connector's that has its scheme, or has resources at all. Never another one's because the first did not answer.
 */
export class ResourceResolver {
  readonly #keys: readonly string[];
  readonly #listed = new Map<string, CatalogEntry>();
  /** By own URI, those that have it: only where several do. */
  readonly #shared = new Map<string, Set<string>>();
  readonly #templates: readonly ParsedTemplate[];
  /** Those of them that say whose a URI is. */
  readonly #routing: readonly ParsedTemplate[];
  readonly #ofScheme = new Map<string, Set<string>>();

  /** @param keys the connectors that offer resources, sorted */
  constructor(keys: readonly string[], resources: readonly CatalogEntry[], templates: readonly CatalogEntry[]) {
    this.#keys = keys;
    for (const entry of resources) {
      this.#listed.set(entry.id, entry);
      if (entry.id !== entry.own) add(this.#shared, entry.own, entry.connector);
    }
    for (const { own, connector } of [...resources, ...templates]) add(this.#ofScheme, schemeOf(own), connector);
    this.#templates = templates.map((entry) => ({ entry, template: parseUriTemplate(entry.own) }));
    // One that leaves even the scheme open would have every connector's resources that no list names.
    this.#routing = this.#templates.filter(({ entry }) => schemeOf(entry.own) !== "");
  }

  /** Whose resource it is. */
  resolve(uri: string): ResolvedUri {
    const listed = this.#listed.get(uri);
    if (listed !== undefined) return { ok: true, connector: listed.connector, uri: listed.own };
    const shared = this.#shared.get(uri);
    if (shared !== undefined) return among(shared, uri);
    return this.#ours(uri) ?? this.#byTemplate(uri) ?? this.#byScheme(uri);
  }

  /** Whose template it is, given as it is listed; what is none is looked up as a URI. */
  resolveTemplate(template: string): ResolvedUri {
    const listed = this.#templates.find(({ entry }) => entry.id === template);
    if (listed !== undefined) return { ok: true, connector: listed.entry.connector, uri: listed.entry.own };
    const owners = this.#templates.filter(({ entry }) => entry.own === template).map(({ entry }) => entry.connector);
    return owners.length === 0 ? this.resolve(template) : among(owners, template);
  }

  /** The address of ours that names this URI of the connector's. */
  addressOf(key: string, uri: string): string {
    return ownUriAmong(key, uri, this.#templatesOf(key, uri));
  }

  #ours(uri: string): ResolvedUri | undefined {
    const address = parseOwnUri(uri);
    if (address === undefined) return undefined;
    const { key } = address;
    const own = this.#keys.includes(key) ? decodeOwnUri(address, this.#templatesOf(key, uri)) : undefined;
    return own === undefined ? { ok: false, candidates: [] } : { ok: true, connector: key, uri: own };
  }

  #templatesOf(key: string, uri: string): readonly string[] {
    if (uri.length > MAX_MATCHED) return [];
    return this.#templates.filter(({ entry }) => entry.connector === key).map(({ entry }) => entry.own);
  }

  #byTemplate(uri: string): ResolvedUri | undefined {
    if (uri.length > MAX_MATCHED) return undefined;
    const matching = this.#routing.filter(({ template }) => matchUriTemplate(template, uri) !== undefined);
    if (matching.length === 0) return undefined;
    const most = Math.max(...matching.map(({ template }) => literalLength(template)));
    const closest = matching.filter(({ template }) => literalLength(template) === most);
    return among(
      closest.map(({ entry }) => entry.connector),
      uri,
    );
  }

  #byScheme(uri: string): ResolvedUri {
    return among(this.#ofScheme.get(schemeOf(uri)) ?? this.#keys, uri);
  }
}

function among(connectors: Iterable<string>, uri: string): ResolvedUri {
  const candidates = [...new Set(connectors)].toSorted();
  const [only, ...others] = candidates;
  return only !== undefined && others.length === 0 ? { ok: true, connector: only, uri } : { ok: false, candidates };
}

function add(sets: Map<string, Set<string>>, name: string, member: string): void {
  const set = sets.get(name);
  if (set === undefined) sets.set(name, new Set([member]));
  else set.add(member);
}

/** Without its colon, in lower case (RFC 3986, 3.1); empty when there is none. */
function schemeOf(uri: string): string {
  return /^[A-Za-z][A-Za-z0-9+.-]{0,63}(?=:)/.exec(uri)?.[0].toLowerCase() ?? "";
}
