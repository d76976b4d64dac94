import { z } from "zod";
import { configJsonSchema } from "./schema.js";

/** What the text of an environment variable is read as. */
export type SettingKind = "text" | "number" | "list";

/** One leaf of the configuration. */
export interface Setting {
  readonly path: readonly string[];
  readonly kind: SettingKind;
  /** The environment variable that sets it. */
  readonly variable: string;
}

/** The prefix of every environment variable that is ours and not named by the plan. */
export const ENV_PREFIX = "CORTEX_MCP_";

const Node = z.object({ type: z.string().optional(), properties: z.record(z.string(), z.unknown()).optional() });

/** Every leaf of the configuration schema, in its order. The schema is the only list of settings there is. */
export function settings(): readonly Setting[] {
  return leaves(configJsonSchema(), []);
}

/** The keys that the schema knows at `path`, for suggestions. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let node: unknown = configJsonSchema();
  for (const key of path) node = Node.parse(node).properties?.[String(key)];
  return Object.keys(Node.parse(node).properties ?? {});
}

function leaves(node: unknown, path: readonly string[]): Setting[] {
  const { type, properties } = Node.parse(node);
  if (properties !== undefined) {
    return Object.entries(properties)
      .filter(([key]) => key !== "$schema")
      .flatMap(([key, child]) => leaves(child, [...path, key]));
  }
  return [{ path, kind: kindOf(type), variable: variableOf(path) }];
}

function kindOf(type: string | undefined): SettingKind {
  if (type === "integer" || type === "number") return "number";
  return type === "array" ? "list" : "text";
}

function variableOf(path: readonly string[]): string {
  return ENV_PREFIX + path.map((key) => key.replaceAll(/[A-Z]/g, "_$&").toUpperCase()).join("_");
}
