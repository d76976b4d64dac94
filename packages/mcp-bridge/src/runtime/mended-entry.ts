import { isJsonObject, type JsonObject, type JsonValue, type ListKind } from "@cortex-os/mcp-core/wire";

/** An entry as every client can read it. */
export interface MendedEntry {
  readonly entry: JsonObject;
  /** What had to be changed, by member; empty for an entry that was sound. */
  readonly mended: readonly string[];
}

type Check = (value: JsonValue) => boolean;

const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isNumber: Check = (value) => typeof value === "number";
const isOneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && words.includes(value);
/** 0 (least) to 1 (most). */
const isPriority: Check = (value) => typeof value === "number" && value >= 0 && value <= 1;
/** A date and a time with their zone (ISO 8601). */
const TIMESTAMP =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const isTimestamp: Check = (value) => {
  const day = typeof value === "string" ? TIMESTAMP.exec(value)?.[1] : undefined;
  // The 31st of February would be read as a day in March.
  const ms = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(`${day}T`);
};
const isObject: Check = isJsonObject;
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
/** An object whose members, where they are there, are what they should be. */
const isRecordOf =
  (checks: Readonly<Record<string, Check>>, ...required: readonly string[]): Check =>
  (value) =>
    isJsonObject(value) &&
    required.every((member) => value[member] !== undefined) &&
    Object.entries(checks).every(([member, check]) => {
      const given = value[member];
      return given === undefined || check(given);
    });

const isIcon = isRecordOf(
  { src: isText, mimeType: isText, sizes: isListOf(isText), theme: isOneOf("light", "dark") },
  "src",
);
const isRole = isOneOf("user", "assistant");
const isAnnotations = isRecordOf({ audience: isListOf(isRole), priority: isPriority, lastModified: isTimestamp });
const isExecution = isRecordOf({ taskSupport: isOneOf("required", "optional", "forbidden") });
const isArgument = isRecordOf({ name: isText, title: isText, description: isText, required: isFlag }, "name");
const HINTS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];
const isToolAnnotations = isRecordOf({
  title: isText,
  ...Object.fromEntries(HINTS.map((hint) => [hint, isFlag])),
});

const COMMON = { title: isText, description: isText, icons: isListOf(isIcon), _meta: isObject };
const LOCATED = { mimeType: isText, annotations: isAnnotations };

/** What each kind's optional members must be (2026-07-28, Schema Reference). */
const CHECKS = {
  tools: { ...COMMON, annotations: isToolAnnotations, outputSchema: isObject, execution: isExecution },
  resources: { ...COMMON, ...LOCATED, size: isNumber },
  resourceTemplates: { ...COMMON, ...LOCATED },
  prompts: { ...COMMON, arguments: isListOf(isArgument) },
} as const satisfies Record<ListKind, Readonly<Record<string, Check>>>;

/**
 * Takes out of an entry what would make clients refuse the list that it is in, all other connectors' entries with it: both official SDKs check a list as a whole.
 * Optional members of another form than the specification's go, a resource without a name gets its address as one, and a tool's `inputSchema` is made one of an
 * object. What nobody knows stays as it is.
 */
export function mendEntry(kind: ListKind, id: string, entry: JsonObject): MendedEntry {
  const changes: Record<string, JsonValue | undefined> = {};
  for (const [member, check] of Object.entries(CHECKS[kind])) {
    const value = entry[member];
    if (value !== undefined && !check(value)) changes[member] = undefined;
  }
  if (typeof entry["name"] !== "string") changes["name"] = id;
  for (const member of kind === "tools" ? (["inputSchema", "outputSchema"] as const) : []) {
    const given = entry[member];
    if (!isJsonObject(given)) continue;
    const schema = mendSchema(given, member === "inputSchema");
    if (schema !== given) changes[member] = schema;
  }
  const mended = Object.keys(changes);
  if (mended.length === 0) return { entry, mended };
  const all = Object.entries({ ...entry, ...changes }).filter(([, value]) => value !== undefined);
  return { entry: Object.fromEntries(all), mended };
}

/** @param isInput an argument list is an object, whether its schema says so or not */
function mendSchema(schema: JsonObject, isInput: boolean): JsonObject {
  const { $schema, properties, required } = schema;
  const changes: Record<string, JsonValue | undefined> = {};
  if (isInput && schema["type"] === undefined) changes["type"] = "object";
  if ($schema !== undefined && !isText($schema)) changes["$schema"] = undefined;
  if (required !== undefined && !isListOf(isText)(required)) changes["required"] = undefined;
  if (properties !== undefined && !isJsonObject(properties)) changes["properties"] = undefined;
  else if (properties !== undefined && !Object.values(properties).every(isJsonObject)) {
    // `true` and `false` are schemas, but not to the clients.
    const asObjects = Object.entries(properties).map(([name, value]) => [name, asObjectSchema(value)] as const);
    changes["properties"] = Object.fromEntries<JsonObject>(asObjects);
  }
  if (Object.keys(changes).length === 0) return schema;
  return Object.fromEntries(Object.entries({ ...schema, ...changes }).filter(([, value]) => value !== undefined));
}

function asObjectSchema(value: JsonValue | undefined): JsonObject {
  if (isJsonObject(value)) return value;
  return value === false ? { not: {} } : {};
}
