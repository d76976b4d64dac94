/**
 * The cursor of the page that begins after `key`. It encodes a key and not a position, so that it survives a refresh that
 * adds or removes tools (design.md, contracts: Lists).
 */
export const encodeCursor = (key: string): string => Buffer.from(key, "utf8").toString("base64url");

/** The key a cursor encodes, or `undefined` when it is none of ours. The empty cursor is valid and means the start. */
export function decodeCursor(cursor: string): string | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(cursor)) return undefined;
  const key = Buffer.from(cursor, "base64url").toString("utf8");
  return encodeCursor(key) === cursor ? key : undefined;
}
