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

const isIcon = isRecordOf({ src: isText, mimeType: isText, sizes: isListOf(isText), theme: isText }, "src");
const isRole: Check = (value) => value === "user" || value === "assistant";
const isAnnotations = isRecordOf({ audience: isListOf(isRole), priority: isNumber, lastModified: isText });
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
  tools: { ...COMMON, annotations: isToolAnnotations, outputSchema: isObject, execution: isObject },
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
  const { inputSchema } = entry;
  if (kind === "tools" && isJsonObject(inputSchema)) {
    const schema = mendInputSchema(inputSchema);
    if (schema !== inputSchema) changes["inputSchema"] = schema;
  }
  const mended = Object.keys(changes);
  if (mended.length === 0) return { entry, mended };
  const all = Object.entries({ ...entry, ...changes }).filter(([, value]) => value !== undefined);
  return { entry: Object.fromEntries(all), mended };
}

function mendInputSchema(schema: JsonObject): JsonObject {
  const { properties, required } = schema;
  const changes: Record<string, JsonValue | undefined> = {};
  // An argument list is an object, whether the schema says so or not.
  if (schema["type"] === undefined) changes["type"] = "object";
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
