import { MAX_JSON_DEPTH } from "@cortex-os/mcp-core/wire";
import { MAX_JSON_NODES } from "./limits.js";
import type { Place } from "./place.js";
import { survivesReading } from "./strict-number.js";

/** What a JSON text says that readers may take in different ways, or that is too much. */
export interface JsonProblem {
  readonly kind: "nodes" | "depth" | "duplicate" | "lost-name" | "surrogate" | "surrogate-in-name" | "number";
  /** Where, as an index into the text. */
  readonly at: number;
  /** What holds it, or what it is. Made of the sender's own names. */
  readonly place: Place;
  /** The name that occurs twice. */
  readonly name?: string;
}

const LOST_NAME = "__proto__";

/** So many significant digits survive in every double that is neither infinite nor next to zero (DBL_DIG). */
const SURE_DIGITS = 15;
/** Without an exponent, no number of so few characters is near where doubles end. */
const SURE_CHARACTERS = 300;
const SMALLEST_NORMAL = 2 ** -1022;

const CODE = {
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  zero: 0x30,
  nine: 0x39,
  bigE: 0x45,
  open: 0x5b,
  backslash: 0x5c,
  close: 0x5d,
  smallE: 0x65,
  false: 0x66,
  null: 0x6e,
  true: 0x74,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** An object or array that has begun; kept for the next one on its level. */
class Level {
  /** The names so far, of an object only. */
  names: Set<string> | undefined;
  /** The member or element that is being read. */
  step: string | number = 0;
  /** Whether the next string is a member's name. */
  wantsName = false;

  begin(isObject: boolean): void {
    this.wantsName = isObject;
    this.names = undefined;
    this.step = isObject ? "" : 0;
  }

  next(): void {
    if (typeof this.step === "number") this.step += 1;
    else this.wantsName = true;
  }
}

/**
 * One pass over a text that may or may not be JSON, without recursion and with nothing made for a value that is in order: the first
 * problem of what `JSON.parse` would take. What it says of a text that is no JSON means nothing, but it ends there too.
 */
export class JsonScan {
  readonly #text: string;
  /** A text with a lone surrogate in it as it is: then every string is looked at, else those with an escape. */
  readonly #wellFormed: boolean;
  readonly #levels: Level[] = [];
  #depth = 0;
  #nodes = 0;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#wellFormed = text.isWellFormed();
  }

  /** @returns the first problem; `undefined` when there is none, or when this is no JSON */
  run(): JsonProblem | undefined {
    const text = this.#text;
    while (this.#at < text.length) {
      const problem = this.#token(text.charCodeAt(this.#at));
      if (problem !== undefined) return problem;
      if (this.#nodes > MAX_JSON_NODES) return this.#problem("nodes", this.#at);
      this.#at += 1;
    }
    return undefined;
  }

  /** Reads what begins here, and stops at its last character. */
  #token(code: number): JsonProblem | undefined {
    switch (code) {
      case CODE.openObject:
      case CODE.open:
        return this.#begin(code === CODE.openObject);
      case CODE.closeObject:
      case CODE.close:
        this.#depth = Math.max(0, this.#depth - 1);
        return undefined;
      case CODE.comma:
        this.#levels[this.#depth - 1]?.next();
        return undefined;
      case CODE.quote:
        return this.#string();
      case CODE.true:
      case CODE.null:
        this.#nodes += 1;
        this.#at += 3;
        return undefined;
      case CODE.false:
        this.#nodes += 1;
        this.#at += 4;
        return undefined;
      default:
        return code === CODE.minus || isDigit(code) ? this.#number() : undefined;
    }
  }

  #begin(isObject: boolean): JsonProblem | undefined {
    if (this.#depth === MAX_JSON_DEPTH) return this.#problem("depth", this.#at);
    this.#nodes += 1;
    const level = (this.#levels[this.#depth] ??= new Level());
    level.begin(isObject);
    this.#depth += 1;
    return undefined;
  }

  #string(): JsonProblem | undefined {
    const begin = this.#at;
    const escapes = this.#skipString();
    this.#nodes += 1;
    const level = this.#levels[this.#depth - 1];
    const isName = level?.wantsName === true;
    if (!isName && !escapes && this.#wellFormed) return undefined;
    const raw = this.#text.slice(begin + 1, this.#at);
    const content = escapes ? unescaped(raw) : raw;
    if (level === undefined || !isName) return content.isWellFormed() ? undefined : this.#problem("surrogate", begin);
    return this.#name(level, content, begin);
  }

  #name(level: Level, name: string, begin: number): JsonProblem | undefined {
    if (!name.isWellFormed()) return this.#problem("surrogate-in-name", begin);
    if (name === LOST_NAME) return this.#problem("lost-name", begin);
    const names = (level.names ??= new Set());
    if (names.has(name)) return this.#problem("duplicate", begin, name);
    names.add(name);
    level.step = name;
    level.wantsName = false;
    return undefined;
  }

  /** @returns whether an escape was in it */
  #skipString(): boolean {
    const text = this.#text;
    let escapes = false;
    let at = this.#at + 1;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === CODE.quote) break;
      if (code === CODE.backslash) {
        escapes = true;
        at += 1;
      }
    }
    this.#at = at;
    return escapes;
  }

  #number(): JsonProblem | undefined {
    const begin = this.#at;
    const { digits, hasExponent } = this.#skipNumber();
    const length = this.#at + 1 - begin;
    this.#nodes += 1;
    if (digits === 0 || (digits <= SURE_DIGITS && !hasExponent && length <= SURE_CHARACTERS)) return undefined;
    const number = this.#text.slice(begin, begin + length);
    if (digits <= SURE_DIGITS && isNormal(Number(number))) return undefined;
    return survivesReading(number) ? undefined : this.#problem("number", begin);
  }

  /** @returns how many digits of the mantissa count */
  #skipNumber(): { readonly digits: number; readonly hasExponent: boolean } {
    const text = this.#text;
    let at = this.#at;
    let begun = 0;
    let digits = 0;
    let hasExponent = false;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === CODE.smallE || code === CODE.bigE) hasExponent = true;
      else if (isDigit(code)) {
        if (!hasExponent && (begun > 0 || code !== CODE.zero)) {
          begun += 1;
          if (code !== CODE.zero) digits = begun;
        }
      } else if (code !== CODE.point && code !== CODE.minus && code !== CODE.plus) break;
    }
    this.#at = at - 1;
    return { digits, hasExponent };
  }

  #problem(kind: JsonProblem["kind"], at: number, name?: string): JsonProblem {
    const steps = this.#levels.slice(0, this.#depth).map(({ step }) => step);
    const ofTheObject = kind === "duplicate" || kind === "lost-name" || kind === "surrogate-in-name";
    const place = ofTheObject ? steps.slice(0, -1) : steps;
    return { kind, at, place, ...(name === undefined ? {} : { name }) };
  }
}

const isNormal = (number: number): boolean => Number.isFinite(number) && Math.abs(number) >= SMALLEST_NORMAL;

const isDigit = (code: number): boolean => code >= CODE.zero && code <= CODE.nine;

/** What a string says; as it is when it is none, which `JSON.parse` finds. */
function unescaped(content: string): string {
  try {
    return String(JSON.parse(`"${content}"`));
  } catch {
    return content;
  }
}
