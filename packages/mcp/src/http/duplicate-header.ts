/** Headers of which a second one is an attack or a broken proxy, `mcp-*` beside them; Node would silently keep the first or join them. */
const SINGLE: ReadonlySet<string> = new Set(["host", "authorization", "origin", "content-type", "content-length"]);
/** Most of a request's headers are none of them, as their length says before they are looked at. */
const LENGTHS: ReadonlySet<number> = new Set([...SINGLE].map(({ length }) => length));

/**
 * The header that came twice although it may only come once, in lower case.
 *
 * Of most requests no name is compared with another: each leaves one of 32 marks, and two that are the same leave the same one. However many headers a request has,
 * they are gone through twice at most: whoever sends thousands of them must not make the gateway compare each with each.
 *
 * @param rawHeaders names and values in turn, as Node has them
 */
export function duplicateHeader(rawHeaders: readonly string[]): string | undefined {
  let marks = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? "";
    if (!mayBeSingle(raw)) continue;
    const mark = markOf(raw);
    if ((marks & mark) !== 0) return firstDuplicate(rawHeaders);
    marks |= mark;
  }
  return undefined;
}

function firstDuplicate(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? "";
    if (!mayBeSingle(raw)) continue;
    const name = raw.toLowerCase();
    if (!SINGLE.has(name) && !name.startsWith("mcp-")) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

const mayBeSingle = (raw: string): boolean => LENGTHS.has(raw.length) || raw[3] === "-";

/** One of 32 bits, by length and last letter in either case: those names that clients send together differ in it. */
const markOf = (raw: string): number => 1 << (raw.length + 5 * (raw.charCodeAt(raw.length - 1) & 31));
