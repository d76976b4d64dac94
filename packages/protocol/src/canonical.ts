import { GatewayError } from "@cortex-os/mcp-core";
import { MAX_JSON_DEPTH } from "@cortex-os/mcp-core/wire";
import { placeOf } from "./place.js";

/**
 * The canonical form of a JSON value (RFC 8785): what is signed, the same text in every language.
 *
 * Members that are `undefined` are left out, as `JSON.stringify` does. Everything else that JSON, or I-JSON (RFC 7493), cannot say is
 * refused with `INVALID_PARAMS`, naming the place: NaN and the infinities, lone surrogates, `bigint`, functions, symbols, `undefined` in an
 * array, objects that are more than their members (`Date`, `Map`), cycles and anything deeper than {@link MAX_JSON_DEPTH}.
 *
 * @param without a member of the document that is left out; inside of it the name means nothing
 */
export function canonicalJson(value: unknown, without?: string): string {
  return new CanonicalWriter(without).write(value, 0);
}

/** Refuses and writes in one pass, with nothing made for what is in order: a hostile map is written too, before its signature is known. */
class CanonicalWriter {
  readonly #without: string | undefined;
  /** The member or element that is being written, for each level. */
  readonly #steps: (string | number)[] = [];

  constructor(without: string | undefined) {
    this.#without = without;
  }

  write(value: unknown, depth: number): string {
    switch (typeof value) {
      case "boolean":
        return value ? "true" : "false";
      case "string":
        if (!value.isWellFormed()) throw this.#refusal(depth, "half of a surrogate pair");
        return JSON.stringify(value);
      case "number":
        if (!Number.isFinite(value)) throw this.#refusal(depth, "not a finite number");
        return String(value);
      case "object":
        return value === null ? "null" : this.#inside(value, depth);
      case "undefined":
      case "function":
      case "symbol":
      case "bigint":
        throw this.#refusal(depth, `JSON has no ${typeof value}`);
    }
  }

  #inside(value: object, depth: number): string {
    if (depth >= MAX_JSON_DEPTH) throw noCanonicalForm(`deeper than ${MAX_JSON_DEPTH} levels, or a cycle`);
    if (Array.isArray(value)) return this.#array(value, depth);
    if (!isPlain(value)) throw this.#refusal(depth, "not a plain object");
    return this.#object(value, depth);
  }

  #array(items: readonly unknown[], depth: number): string {
    let text = "";
    // Not `map` or `for … of entries()`: a hole must be seen.
    for (let at = 0; at < items.length; at += 1) {
      this.#steps[depth] = at;
      text += `${at === 0 ? "" : ","}${this.write(items[at], depth + 1)}`;
    }
    return `[${text}]`;
  }

  #object(members: Readonly<Record<string, unknown>>, depth: number): string {
    let text = "";
    // By UTF-16 code units, as RFC 8785 asks.
    for (const name of Object.keys(members).toSorted()) {
      const member = members[name];
      if (member === undefined || (depth === 0 && name === this.#without)) continue;
      if (!name.isWellFormed()) throw this.#refusal(depth, "a member's name holds half of a surrogate pair");
      this.#steps[depth] = name;
      text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${this.write(member, depth + 1)}`;
    }
    return `{${text}}`;
  }

  #refusal(depth: number, problem: string): GatewayError {
    return noCanonicalForm(`${placeOf(this.#steps.slice(0, depth))}: ${problem}`);
  }
}

const noCanonicalForm = (problem: string): GatewayError =>
  new GatewayError("INVALID_PARAMS", `This has no canonical JSON form: ${problem}`);

/** By its tag, not by its prototype: an object of another realm is plain too. */
const isPlain = (value: object): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === "[object Object]" &&
  !("toJSON" in value && typeof value.toJSON === "function");
