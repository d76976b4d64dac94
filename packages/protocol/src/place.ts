/** Where in a JSON document something stands: member names and array indexes from the outside in. */
export type Place = readonly (string | number)[];

const LONGEST_NAME = 64;
const LONGEST_DETAIL = 200;
const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/;
/** Control and format characters (which turn the direction of what follows), halves of pairs, and what breaks lines. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * `["connectors", 3, "endpoint"]` as people write it: `connectors[3].endpoint`; the document itself is `the document`.
 * Odd names are quoted and long ones cut, so that a hostile document cannot forge a log line or fill one.
 */
export function placeOf(place: Place): string {
  if (place.length === 0) return "the document";
  return place.map((step, at) => stepOf(step, at === 0)).join("");
}

function stepOf(step: string | number, first: boolean): string {
  if (typeof step === "number") return `[${step}]`;
  if (step.length <= LONGEST_NAME && PLAIN_NAME.test(step)) return first ? step : `.${step}`;
  return `[${quotedName(step)}]`;
}

/** A member's name for a message: quoted, escaped and of bounded length. */
export const quotedName = (name: string): string =>
  JSON.stringify(name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME)}…`).replaceAll(
    UNSEEN,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );

/** A message that is made of quoted names and places, cut to `limit` characters. */
export const shortened = (message: string, limit: number = LONGEST_DETAIL): string =>
  message.length <= limit ? message : `${message.slice(0, limit - 1).toWellFormed()}…`;

/** The place that a zod issue names. */
export const placeIn = (path: readonly PropertyKey[]): Place => path.filter((step) => typeof step !== "symbol");
