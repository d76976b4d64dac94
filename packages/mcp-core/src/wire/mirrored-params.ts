import { decodeHeaderValue, encodeHeaderValue, HEADER } from "./header-codec.js";
import { isJsonObject, type JsonObject, type JsonValue } from "./json-rpc.js";

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PRIMITIVES: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);
const ANNOTATION = "x-mcp-header";
/** Deepest schema that is searched; a hostile one must not overflow the stack. */
const MAX_DEPTH = 64;

/** One parameter of a tool that is mirrored into a header. */
export interface MirroredParam {
  /** The whole header name, in lower case. */
  readonly header: string;
  /** The keys that lead to it in the call's arguments. */
  readonly path: readonly string[];
}

/** What a tool's `inputSchema` asks to mirror, or why it may not be offered at all. */
export type MirroredParams =
  | { readonly ok: true; readonly params: readonly MirroredParam[] }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads the `x-mcp-header` annotations of a schema (2026-07-28, Streamable HTTP, Schema Extension). Never throws. A client of
 * HTTP upstreams leaves out a tool that breaks the rules.
 */
export function mirroredParams(inputSchema: JsonObject): MirroredParams {
  const params: MirroredParam[] = [];
  if (inputSchema[ANNOTATION] !== undefined)
    return { ok: false, reason: `its arguments as a whole have an ${ANNOTATION}` };
  const reason = collect(inputSchema, [], params) ?? duplicateAmong(params);
  return reason === undefined ? { ok: true, params } : { ok: false, reason };
}

/** The headers for a call with these arguments: encoded, none for what is absent or `null`. */
export function mirroredHeaders(params: readonly MirroredParam[], args: JsonValue | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { header, path } of params) {
    const value = valueAt(args, path);
    if (typeof value === "string") headers[header] = encodeHeaderValue(value);
    else if (typeof value === "number" || typeof value === "boolean") headers[header] = String(value);
  }
  return headers;
}

/**
 * Holds a call's arguments against the headers it came with (2026-07-28, Streamable HTTP, Server Behavior for Custom Headers): each value
 * needs its header, and no header may be there without a value or with another one. Numbers are compared as such.
 *
 * @param headers lower-case names
 * @returns what is wrong, or `undefined`
 */
export function mirroredMismatch(
  params: readonly MirroredParam[],
  headers: Readonly<Record<string, string>>,
  args: JsonValue | undefined,
): string | undefined {
  for (const { header, path } of params) {
    const reason = mismatchOf(header, headers[header], valueAt(args, path));
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function mismatchOf(header: string, sent: string | undefined, value: JsonValue | undefined): string | undefined {
  // A value that has no header form is for the upstream to judge, as one that is missing.
  const expected = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  if (sent === undefined) return expected ? `${header} is missing; the body has ${shown(value)}` : undefined;
  const decoded = decodeHeaderValue(sent);
  if (!decoded.ok) return `${header} ${decoded.reason}`;
  if (!expected) return `${header} has no value in the body`;
  if (isSame(decoded.value, value)) return undefined;
  return `${header} header value ${shown(decoded.value)} does not match body value ${shown(value)}`;
}

const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function isSame(text: string, value: string | number | boolean): boolean {
  if (typeof value !== "number") return text === String(value);
  // Beyond 2^53 two readers may round to different numbers, and the specification allows none.
  return DECIMAL.test(text) && Number(text) === value && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

const shown = (value: JsonValue): string => JSON.stringify(value).slice(0, 120);

/** @returns why the schema is refused. Below the root only `properties` lead to places where an annotation may stand. */
function collect(schema: JsonObject, path: readonly string[], found: MirroredParam[]): string | undefined {
  if (path.length > MAX_DEPTH) return "its schema is nested too deeply";
  for (const [keyword, value] of Object.entries(schema)) {
    const reason =
      keyword === "properties" && isJsonObject(value)
        ? collectProperties(value, path, found)
        : keyword !== ANNOTATION && !DATA.has(keyword) && isAnnotated(value, 0, MAPS.has(keyword))
          ? `an ${ANNOTATION} stands where no plain chain of properties leads`
          : undefined;
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function collectProperties(
  properties: JsonObject,
  path: readonly string[],
  found: MirroredParam[],
): string | undefined {
  for (const [key, property] of Object.entries(properties)) {
    if (!isJsonObject(property)) continue;
    const at = [...path, key];
    if (property[ANNOTATION] !== undefined) {
      const name = property[ANNOTATION];
      if (typeof name !== "string" || !TOKEN.test(name))
        return `its ${ANNOTATION} of "${at.join(".")}" is no header name`;
      if (!PRIMITIVES.has(property["type"]))
        return `its ${ANNOTATION} of "${at.join(".")}" is on a type that cannot be mirrored`;
      found.push({ header: HEADER.paramPrefix + name.toLowerCase(), path: at });
    }
    const reason = collect(property, at, found);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Data such as `default` or `examples` may well hold the word; only schemas are looked at. */
const DATA: ReadonlySet<string> = new Set(["default", "examples", "const", "enum"]);
/** Keywords whose members have names of the author's, which may be any word. */
const MAPS: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
]);

/** @param isMap whether it is no schema itself, but one for each of its names */
function isAnnotated(value: JsonValue | undefined, depth: number, isMap: boolean): boolean {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return false;
  if (!isJsonObject(value)) return value.some((member) => isAnnotated(member, depth + 1, false));
  if (!isMap && value[ANNOTATION] !== undefined) return true;
  return Object.entries(value).some(
    ([key, member]) => (isMap || !DATA.has(key)) && isAnnotated(member, depth + 1, !isMap && MAPS.has(key)),
  );
}

/** A schema without any annotation, wherever it stands; data that only looks like one is kept. Nested deeper than is searched it is as it was. */
export function withoutMirrored(inputSchema: JsonObject): JsonObject {
  return Object.fromEntries(unannotatedMembers(inputSchema, 0, false));
}

function unannotated(value: JsonValue | undefined, depth: number, isMap: boolean): JsonValue | undefined {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value;
  if (!isJsonObject(value)) return value.map((member) => unannotated(member, depth + 1, false) ?? null);
  return Object.fromEntries(unannotatedMembers(value, depth, isMap));
}

function unannotatedMembers(
  schema: JsonObject,
  depth: number,
  isMap: boolean,
): (readonly [string, JsonValue | undefined])[] {
  return Object.entries(schema).flatMap(([key, member]) => {
    if (!isMap && key === ANNOTATION) return [];
    const isData = !isMap && DATA.has(key);
    return [[key, isData ? member : unannotated(member, depth + 1, !isMap && MAPS.has(key))] as const];
  });
}

function duplicateAmong(params: readonly MirroredParam[]): string | undefined {
  const seen = new Set<string>();
  for (const { header } of params) {
    if (seen.has(header)) return `two parameters are mirrored into ${header}`;
    seen.add(header);
  }
  return undefined;
}

function valueAt(args: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = args;
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
