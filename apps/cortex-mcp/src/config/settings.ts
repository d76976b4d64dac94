import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { shippedConfigSchema } from "../shipped-files.js";

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

/**
 * Every leaf of the configuration schema, in its order. The schema is the only list of settings there is; what is read is the JSON Schema that is shipped, because
 * making it anew takes longer than starting the rest.
 */
export function settings(): readonly Setting[] {
  return leaves(shippedConfigSchema(), []);
}

/** The keys that the schema knows at `path`, for suggestions. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(objectOf(nodeAt(path)["properties"]));
}

/** What the schema wants at `path`, to read after "must be". */
export function valueText(path: readonly PropertyKey[]): string {
  return waysOf(nodeAt(path))
    .map((one) => textOf(one, path))
    .join(" or ");
}

/** The forms that a value may have: mostly one. */
const waysOf = (node: JsonObject): readonly JsonObject[] =>
  Array.isArray(node["anyOf"]) ? node["anyOf"].map(objectOf) : [node];

function textOf(node: JsonObject, path: readonly PropertyKey[]): string {
  const { type, enum: words, minimum, maximum, const: word } = node;
  if (typeof word === "string") return word;
  if (Array.isArray(words)) return `one of ${words.join(", ")}`;
  if (type === "integer") return `a whole number from ${JSON.stringify(minimum)} to ${JSON.stringify(maximum)}`;
  if (type === "boolean") return "true or false";
  if (type === "array") return "a list of texts";
  if (type === "string") return "a text that is not empty";
  return path.length === 0 ? 'a JSON object, such as {"port": 7420}' : "a JSON object";
}

function nodeAt(path: readonly PropertyKey[]): JsonObject {
  let node = shippedConfigSchema();
  for (const key of path) node = objectOf(objectOf(node["properties"])[String(key)] ?? node["items"]);
  return node;
}

function leaves(node: JsonObject, path: readonly string[]): Setting[] {
  const { properties } = node;
  if (isJsonObject(properties)) {
    return Object.entries(properties)
      .filter(([key]) => key !== "$schema")
      .flatMap(([key, child]) => leaves(objectOf(child), [...path, key]));
  }
  const variable = NAMED_BY_THE_PLAN.get(path.join(".")) ?? regularVariable(path);
  return [{ path, kind: kindOf(waysOf(node).map(({ type }) => type)), variable }];
}

const objectOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});

function kindOf(types: readonly unknown[]): SettingKind {
  if (types.includes("integer") || types.includes("number")) return "number";
  if (types.includes("boolean")) return "boolean";
  return types.includes("array") ? "list" : "text";
}

/** What the variable of a setting is called, unless the plan named it otherwise. */
export function regularVariable(path: readonly string[]): string {
  return ENV_PREFIX + path.map((key) => key.replaceAll(/[A-Z]/g, "_$&").toUpperCase()).join("_");
}
