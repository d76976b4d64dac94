import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { byCodeUnits } from "./by-code-units.js";
import { renamed, type CatalogEntry, type EncodedDefinition, type EntryFields } from "./catalog-entry.js";
import type { Claim } from "./claims.js";

/** What the entries of a list are. */
export interface EntryShape<E extends CatalogEntry> {
  /** The member of a definition that an entry is known by. */
  readonly member: string;
  /** What a client of the legacy era is shown instead of such a definition, if it is something else. */
  readonly legacyOf?: (definition: JsonObject) => JsonObject | undefined;
  readonly make: (fields: EntryFields, definition: JsonObject, json: string) => E;
}

/** The entries of claims that have got their names, in no order. Those of one connector are encoded in a row, as lists will mostly have them. */
export function encodeClaims<E extends CatalogEntry>(claims: readonly Claim[], shape: EntryShape<E>): readonly E[] {
  const rows = new Map<string, Named[]>();
  for (const claim of claims) {
    if (!isNamed(claim)) continue;
    const row = rows.get(claim.connector);
    if (row === undefined) rows.set(claim.connector, [claim]);
    else row.push(claim);
  }
  return [...rows.values()].flatMap((row) => encodeRow(row, shape));
}

type Named = Claim & { readonly name: string };

const isNamed = (claim: Claim): claim is Named => claim.name !== undefined;

function encodeRow<E extends CatalogEntry>(
  claims: readonly Named[],
  { member, legacyOf, make }: EntryShape<E>,
): readonly E[] {
  const drafts = claims
    .toSorted((a, b) => byCodeUnits(a.name, b.name))
    .map((claim) => {
      const definition = renamed(claim.given, member, claim.name);
      const legacy = legacyOf?.(definition);
      const legacyJson = legacy === undefined ? undefined : JSON.stringify(legacy);
      return { claim, definition, json: JSON.stringify(definition), legacyJson };
    });
  const chunk = Buffer.from(drafts.map(({ json }) => json).join(","));
  const legacyChunk = Buffer.from(drafts.flatMap(({ legacyJson }) => legacyJson ?? []).join(","));
  let at = 0;
  let legacyAt = 0;
  return drafts.map(({ claim: { name, connector, own, given }, definition, json, legacyJson }) => {
    const encoded = stretch(chunk, at, json);
    at = encoded.end + 1;
    const legacy = legacyJson === undefined ? undefined : stretch(legacyChunk, legacyAt, legacyJson);
    if (legacy !== undefined) legacyAt = legacy.end + 1;
    return make({ id: name, connector, own, member, given, encoded, legacy }, definition, json);
  });
}

const stretch = (chunk: Buffer, start: number, json: string): EncodedDefinition => ({
  chunk,
  start,
  end: start + Buffer.byteLength(json),
});
