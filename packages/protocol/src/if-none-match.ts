/** An entity tag, weak or strong (RFC 9110, 8.8.3). A comma inside the quotes belongs to it. */
const ENTITY_TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/**
 * Whether an `If-None-Match` field names `etag`, a strong entity tag with its quotes: then the answer is 304. `*` names whatever there is, and tags
 * are compared weakly (RFC 9110, 13.1.2). A field that holds no tag names nothing.
 */
export function matchesAny(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false;
  if (field.trim() === "*") return true;
  return [...field.matchAll(ENTITY_TAG)].some(([, tag]) => tag === etag);
}
