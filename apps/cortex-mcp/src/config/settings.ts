import { z } from "zod";
import { configJsonSchema } from "./schema.js";

/** What the text of an environment variable is read as. */
export type SettingKind = "text" | "number" | "boolean" | "list";

/** One leaf of the configuration. */
export interface Setting {
  readonly path: readonly string[];
  readonly kind: SettingKind;
  /** The environment variable that sets it. */
  readonly variable: string;
}

/** The prefix of every environment variable that is ours and not named by the plan. */
export const ENV_PREFIX = "CORTEX_MCP_";

/** The variables that the plan named, by the path of what they set; all others begin with {@link ENV_PREFIX}. */
const NAMED_BY_THE_PLAN: ReadonlyMap<string, string> = new Map([
  ["serviceMap.url", "CONNECTORS_SERVICE_MAP_URL"],
  ["serviceMap.keysFile", "CONNECTORS_KEYS_FILE"],
  ["serviceMap.refreshSync", "MCP_CONNECTOR_REFRESH_SYNC"],
  ["serviceMap.refreshIntervalMs", "MCP_CONNECTOR_REFRESH_INTERVAL_MS"],
]);

const Node = z.object({
  type: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  const: z.string().optional(),
  anyOf: z.array(z.unknown()).optional(),
});

/** Every leaf of the configuration schema, in its order. The schema is the only list of settings there is. */
export function settings(): readonly Setting[] {
  return leaves(configJsonSchema(), []);
}

/** The keys that the schema knows at `path`, for suggestions. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(nodeAt(path).properties ?? {});
}

/** What the schema wants at `path`, to read after "must be". */
export function valueText(path: readonly PropertyKey[]): string {
  const node = nodeAt(path);
  const { anyOf = [node] } = node;
  return anyOf.map((one) => textOf(one, path)).join(" or ");
}

function textOf(node: unknown, path: readonly PropertyKey[]): string {
  const { type, enum: words, minimum, maximum, const: word } = Node.parse(node);
  if (word !== undefined) return word;
  if (words !== undefined) return `one of ${words.join(", ")}`;
  if (type === "integer") return `a whole number from ${minimum} to ${maximum}`;
  if (type === "boolean") return "true or false";
  if (type === "array") return "a list of texts";
  if (type === "string") return "a text that is not empty";
  return path.length === 0 ? 'a JSON object, such as {"port": 7420}' : "a JSON object";
}

function nodeAt(path: readonly PropertyKey[]): z.infer<typeof Node> {
  let node = Node.parse(configJsonSchema());
  for (const key of path) node = Node.parse(node.properties?.[String(key)] ?? node.items);
  return node;
}

function leaves(node: unknown, path: readonly string[]): Setting[] {
  const { type, properties, anyOf = [] } = Node.parse(node);
  if (properties !== undefined) {
    return Object.entries(properties)
      .filter(([key]) => key !== "$schema")
      .flatMap(([key, child]) => leaves(child, [...path, key]));
  }
  const variable = NAMED_BY_THE_PLAN.get(path.join(".")) ?? regularVariable(path);
  const types = [type, ...anyOf.map((one) => Node.parse(one).type)];
  return [{ path, kind: kindOf(types), variable }];
}

function kindOf(types: readonly (string | undefined)[]): SettingKind {
  if (types.includes("integer") || types.includes("number")) return "number";
  if (types.includes("boolean")) return "boolean";
  return types.includes("array") ? "list" : "text";
}

/** What the variable of a setting is called, unless the plan named it otherwise. */
export function regularVariable(path: readonly string[]): string {
  return ENV_PREFIX + path.map((key) => key.replaceAll(/[A-Z]/g, "_$&").toUpperCase()).join("_");
}
