import type { CatalogEntry, EncodedDefinition } from "./catalog-entry.js";

/** Takes the bytes of an entry: those of one era. */
export type FormOf = (entry: CatalogEntry) => EncodedDefinition;

/** The bytes of entries as they follow each other in JSON, a comma between any two. Neighbours that were encoded together come as one stretch, and nothing is copied. */
export function runsOf(entries: readonly CatalogEntry[], formOf: FormOf): Buffer[] {
  const runs: Buffer[] = [];
  let chunk: Buffer | undefined;
  let start = 0;
  let end = 0;
  for (const entry of entries) {
    const form = formOf(entry);
    if (form.chunk !== chunk || form.start !== end + 1) {
      if (chunk !== undefined) runs.push(chunk.subarray(start, end), COMMA);
      ({ chunk, start } = form);
    }
    ({ end } = form);
  }
  if (chunk !== undefined) runs.push(chunk.subarray(start, end));
  return runs;
}

const COMMA = Buffer.from(",");
