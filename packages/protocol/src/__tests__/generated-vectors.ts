import { canonicalJson } from "../canonical.js";
import { createServiceMapSignature } from "../signature.js";

/** One generated vector: a text to read, what is signed, and its signature when it is a map's. */
export interface GeneratedVector {
  readonly json: string;
  readonly canonical: string;
  readonly signature: string;
}

/** A small generator with a fixed start (mulberry32): the same vectors on every machine. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.bits() % limit;
  }

  oneOf<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}

/** `count` objects, written as differently as JSON allows, from one seed. */
export function generateVectors(seed: number, count: number, key: string): readonly GeneratedVector[] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, () => {
    const value = Object.fromEntries(members(dice, 3));
    return {
      json: written(value, dice),
      canonical: canonicalJson(value),
      signature: createServiceMapSignature(value, key),
    };
  });
}

function valueOf(dice: Dice, depth: number): unknown {
  const kind = dice.below(depth === 0 ? 5 : 8);
  if (kind === 0) return dice.oneOf([null, true, false]);
  if (kind <= 2) return numberOf(dice);
  if (kind <= 4) return textOf(dice);
  if (kind === 5) return Array.from({ length: dice.below(4) }, () => valueOf(dice, depth - 1));
  return Object.fromEntries(members(dice, depth - 1));
}

const members = (dice: Dice, depth: number): [string, unknown][] =>
  Array.from({ length: 1 + dice.below(5) }, () => [textOf(dice), valueOf(dice, depth)]);

/** Any double at all, from its bits, or one near the places where its notation changes. */
function numberOf(dice: Dice): number {
  if (dice.below(3) === 0) return (dice.below(2_000_001) - 1_000_000) / dice.oneOf([1, 1, 10, 1_000, 7]);
  if (dice.below(3) === 0) return dice.bits() * 10 ** (dice.below(40) - 20);
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, dice.bits());
  view.setUint32(4, dice.bits());
  const number = view.getFloat64(0);
  return Number.isFinite(number) ? number : 0;
}

/** Where sorters and escapers disagree: both sides of every border in UTF-16. */
const CHARACTERS = Array.from(
  [
    "aAbBzZ_-09~ /\"\\'<&",
    "\0\b\t\n\u000b\f\r\u001f\u007f\u0080\u00a0äÄéß",
    "e\u0301\u0131\u200d\u2028\u2029\ud7ff\ue000\ufb33\ufeff\uffff",
    "\u{10000}\u{1f600}\u{1f50d}\u{10ffff}",
  ].join(""),
);

const textOf = (dice: Dice): string =>
  Array.from({ length: dice.below(6) }, () => CHARACTERS[dice.below(CHARACTERS.length)] ?? "").join("");

/** The value as JSON, with spaces, escapes and notations that change nothing. */
function written(value: unknown, dice: Dice): string {
  const space = (): string => dice.oneOf(["", "", "", " ", "\n", "\t", "\r\n  "]);
  if (typeof value === "number") return writtenNumber(value, dice);
  if (typeof value === "string") return writtenText(value, dice);
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) {
    return `[${space()}${value.map((item) => written(item, dice)).join(`${space()},${space()}`)}${space()}]`;
  }
  const pairs = Object.entries(value).map(
    ([name, member]) => `${writtenText(name, dice)}${space()}:${space()}${written(member, dice)}`,
  );
  return `{${space()}${pairs.join(`${space()},${space()}`)}${space()}}`;
}

function writtenNumber(value: number, dice: Dice): string {
  const plain = Object.is(value, -0) ? "-0" : String(value);
  switch (dice.below(5)) {
    case 0:
      return value.toExponential();
    case 1:
      return value.toExponential().toUpperCase();
    case 2:
      return /^-?\d+$/.test(plain) ? `${plain}.00` : plain;
    default:
      return plain;
  }
}

function writtenText(text: string, dice: Dice): string {
  const units = Array.from({ length: text.length }, (_, at) => text.slice(at, at + 1));
  const inner = units.map((unit) => (dice.below(6) === 0 ? escaped(unit, dice) : JSON.stringify(unit).slice(1, -1)));
  // Halves that were left alone next to each other are one character again; one that was escaped needs its other half escaped.
  return inner.join("").isWellFormed() ? `"${inner.join("")}"` : JSON.stringify(text);
}

function escaped(unit: string, dice: Dice): string {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${dice.below(2) === 0 ? hex : hex.toUpperCase()}`;
}
