import canonicalize from "canonicalize";
import { GatewayError } from "@cortex-os/mcp-core";
import { MAX_JSON_DEPTH } from "@cortex-os/mcp-core/wire";
import { placeOf, type Place } from "./place.js";

/**
 * The canonical form of a JSON value (RFC 8785): what is signed, the same text in every language.
 *
 * Members that are `undefined` are left out, as `JSON.stringify` does. Everything else that JSON, or I-JSON (RFC 7493), cannot say is
 * refused with `INVALID_PARAMS`, naming the place: NaN and the infinities, lone surrogates, `bigint`, functions, symbols, `undefined` in an
 * array, objects that are more than their members (`Date`, `Map`), cycles and anything deeper than {@link MAX_JSON_DEPTH}.
 */
export function canonicalJson(value: unknown): string {
  const problem = findUnspeakable(value, []);
  if (problem !== undefined) throw noCanonicalForm(problem);
  const text = canonicalize(value);
  if (text === undefined) throw noCanonicalForm("there is no value");
  return text;
}

const noCanonicalForm = (problem: string): GatewayError =>
  new GatewayError("INVALID_PARAMS", `This has no canonical JSON form: ${problem}`);

/** The library writes some of these as text that is no JSON, and others as something else than they are. */
function findUnspeakable(value: unknown, place: Place): string | undefined {
  switch (typeof value) {
    case "boolean":
      return undefined;
    case "string":
      return value.isWellFormed() ? undefined : `${placeOf(place)}: half of a surrogate pair`;
    case "number":
      return Number.isFinite(value) ? undefined : `${placeOf(place)}: not a finite number`;
    case "object":
      return value === null ? undefined : findInside(value, place);
    case "undefined":
    case "function":
    case "symbol":
    case "bigint":
      return `${placeOf(place)}: JSON has no ${typeof value}`;
  }
}

function findInside(value: object, place: Place): string | undefined {
  if (place.length >= MAX_JSON_DEPTH) return `deeper than ${MAX_JSON_DEPTH} levels, or a cycle`;
  if (Array.isArray(value)) {
    // Not `some` or `entries().find`: they pass over holes, which the library would write as nothing at all.
    for (let at = 0; at < value.length; at += 1) {
      const problem = findUnspeakable(value[at], [...place, at]);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (!isPlain(value)) return `${placeOf(place)}: not a plain object`;
  for (const [name, member] of Object.entries(value)) {
    const problem =
      (name.isWellFormed() ? undefined : `${placeOf(place)}: a member's name holds half of a surrogate pair`) ??
      (member === undefined ? undefined : findUnspeakable(member, [...place, name]));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** By its tag, not by its prototype: an object of another realm is plain too. */
const isPlain = (value: object): boolean =>
  Object.prototype.toString.call(value) === "[object Object]" &&
  !("toJSON" in value && typeof value.toJSON === "function");
