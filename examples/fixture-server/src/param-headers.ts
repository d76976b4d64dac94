import { isJsonObject, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";

/** A tool parameter that its schema mirrors into a header (2026-07-28, Streamable HTTP, `x-mcp-header`). */
export interface MirroredParam {
  /** The header's name in lower case. */
  readonly header: string;
  /** The chain of `properties` keys that leads to the value in the arguments. */
  readonly path: readonly string[];
}

/** The parameters that `inputSchema` mirrors, found along chains of `properties` only. */
export function mirroredParams(inputSchema: JsonObject, path: readonly string[] = []): MirroredParam[] {
  const properties = inputSchema["properties"];
  if (!isJsonObject(properties)) return [];
  return Object.entries(properties).flatMap(([key, schema]) => {
    if (!isJsonObject(schema)) return [];
    const here = [...path, key];
    const name = schema["x-mcp-header"];
    const own = typeof name === "string" ? [{ header: `mcp-param-${name.toLowerCase()}`, path: here }] : [];
    return [...own, ...mirroredParams(schema, here)];
  });
}

/** The value at `path` in the arguments; `undefined` also for `null`, which is mirrored no more than a missing one. */
export function valueAt(args: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = args;
  for (const key of path) value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value ?? undefined;
}

/** Whether a decoded header says the same as the body; numbers by value, so that `42.0` equals `42`. */
export const saysTheSame = (header: string, value: JsonValue): boolean =>
  typeof value === "number" ? header.trim() !== "" && Number(header) === value : header === String(value);
