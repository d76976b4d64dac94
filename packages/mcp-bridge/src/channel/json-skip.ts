const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;
const LOWER_CASE = 0x20;
const LETTER_E = 0x65;
/** So much of a string is looked at byte by byte before its end is searched for: most are shorter, and a search has its price. */
const SHORT = 48;

/** Stands for a position: the bytes are no JSON, or nest too deeply. */
export const NOWHERE = -1;

/** Where what follows white space begins, from `at` on. */
export function skipSpace(json: Buffer, at: number): number {
  let next = at;
  for (let byte = json[next]; byte === SPACE || byte === 0x09 || byte === 0x0a || byte === 0x0d; byte = json[next])
    next += 1;
  return next;
}

/**
 * Where a JSON value ends that begins at `at`, without making anything of it. What is inside of strings is not judged: only their ends are looked for.
 *
 * @param depth so many levels it may have
 * @returns the position after its last byte, {@link NOWHERE} for what is no value or has more levels
 */
export function skipValue(json: Buffer, at: number, depth: number): number {
  switch (json[at]) {
    case QUOTE:
      return skipString(json, at + 1);
    case OPEN_OBJECT:
      return skipMembers(json, at + 1, depth - 1);
    case OPEN_ARRAY:
      return skipElements(json, at + 1, depth - 1);
    case 0x74:
      return skipWord(json, at, TRUE);
    case 0x66:
      return skipWord(json, at, FALSE);
    case 0x6e:
      return skipWord(json, at, NULL);
    default:
      return skipNumber(json, at);
  }
}

/** Where a string ends whose first character is at `from`. */
function skipString(json: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const limit = Math.min(at + SHORT, json.length);
    for (; at < limit; at += 1) {
      const byte = json[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at += 1;
    }
    if (at >= json.length) return NOWHERE;
    const quote = json.indexOf(QUOTE, at);
    if (quote === -1) return NOWHERE;
    let before = quote;
    while (before > at && json[before - 1] === BACKSLASH) before -= 1;
    // An even number of backslashes are escaped ones.
    if ((quote - before) % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function skipMembers(json: Buffer, from: number, depth: number): number {
  if (depth < 0) return NOWHERE;
  let at = skipSpace(json, from);
  if (json[at] === CLOSE_OBJECT) return at + 1;
  for (;;) {
    if (json[at] !== QUOTE) return NOWHERE;
    at = skipString(json, at + 1);
    if (at === NOWHERE) return NOWHERE;
    at = skipSpace(json, at);
    if (json[at] !== COLON) return NOWHERE;
    at = skipValue(json, skipSpace(json, at + 1), depth);
    if (at === NOWHERE) return NOWHERE;
    at = skipSpace(json, at);
    if (json[at] === CLOSE_OBJECT) return at + 1;
    if (json[at] !== COMMA) return NOWHERE;
    at = skipSpace(json, at + 1);
  }
}

function skipElements(json: Buffer, from: number, depth: number): number {
  if (depth < 0) return NOWHERE;
  let at = skipSpace(json, from);
  if (json[at] === CLOSE_ARRAY) return at + 1;
  for (;;) {
    at = skipValue(json, at, depth);
    if (at === NOWHERE) return NOWHERE;
    at = skipSpace(json, at);
    if (json[at] === CLOSE_ARRAY) return at + 1;
    if (json[at] !== COMMA) return NOWHERE;
    at = skipSpace(json, at + 1);
  }
}

const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");
const NULL = Buffer.from("null");

function skipWord(json: Buffer, at: number, word: Buffer): number {
  for (let index = 1; index < word.length; index += 1) if (json[at + index] !== word[index]) return NOWHERE;
  return at + word.length;
}

function skipNumber(json: Buffer, from: number): number {
  let at = json[from] === MINUS ? from + 1 : from;
  const isZero = json[at] === ZERO;
  at = skipDigits(json, at);
  // No digit at all, or one after a leading zero.
  if (at === NOWHERE || (isZero && at !== (json[from] === MINUS ? from + 2 : from + 1))) return NOWHERE;
  if (json[at] === POINT) {
    at = skipDigits(json, at + 1);
    if (at === NOWHERE) return NOWHERE;
  }
  if (((json[at] ?? 0) | LOWER_CASE) !== LETTER_E) return at;
  at += 1;
  return skipDigits(json, json[at] === PLUS || json[at] === MINUS ? at + 1 : at);
}

/** At least one. */
function skipDigits(json: Buffer, from: number): number {
  let at = from;
  for (let byte = json[at]; byte !== undefined && byte >= ZERO && byte <= NINE; byte = json[at]) at += 1;
  return at === from ? NOWHERE : at;
}
