import { HEADER, isJsonObject, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";

/** A tool parameter that its schema mirrors into a header (2026-07-28, Streamable HTTP, `x-mcp-header`). */
export interface MirroredParam {
  /** The header's name in lower case. */
  readonly header: string;
  /** The chain of `properties` keys that leads to the value in the arguments. */
  readonly path: readonly string[];
}

/** The parameters that `inputSchema` mirrors, found along chains of `properties` only. */
export function mirroredParams(inputSchema: JsonObject): MirroredParam[] {
  const found: MirroredParam[] = [];
  collect(inputSchema, [], found);
  return found;
}

function collect(schema: JsonObject, path: readonly string[], found: MirroredParam[]): void {
  const properties = schema["properties"];
  if (!isJsonObject(properties)) return;
  for (const [key, property] of Object.entries(properties)) {
    if (!isJsonObject(property)) continue;
    const here = [...path, key];
    const name = property["x-mcp-header"];
    if (typeof name === "string") found.push({ header: HEADER.paramPrefix + name.toLowerCase(), path: here });
    collect(property, here, found);
  }
}

/** The value at `path` in the arguments; `undefined` also for `null`, which is mirrored no more than a missing one. */
export function valueAt(args: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = args;
  for (const key of path) value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value ?? undefined;
}

/** A value as its header spells it (Streamable HTTP, Value Encoding), before the Base64 that some characters need. */
export const headerText = (value: JsonValue): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Whether a decoded header says the same as the body; numbers by value, so that `42.0` equals `42`. */
export const saysTheSame = (header: string, value: JsonValue): boolean =>
  typeof value === "number" ? header !== "" && Number(header) === value : header === headerText(value);
