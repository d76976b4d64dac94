import type { JsonObject, JsonValue } from "@cortex-os/mcp-core/wire";
import { didYouMean } from "../suggest.js";
import { userError } from "../user-error.js";
import { configProblems } from "./problems.js";
import { ConfigSchema } from "./schema.js";
import { ENV_PREFIX, regularVariable, settings, type Setting } from "./settings.js";

/** The same words as `parseConnectorFeatureFlags` of `@cortex-os/mcp` understands. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/**
 * What the environment sets, in the shape of `config.json`. Empty variables count as unset.
 *
 * @throws GatewayError USER_INPUT naming the variable, for a value the schema refuses and for a `CORTEX_MCP_` variable
 *   that is no setting
 */
export function environmentLayer(env: Readonly<Record<string, string | undefined>>): JsonObject {
  const known = settings();
  refuseUnknown(env, known);
  const layer: Record<string, JsonValue> = {};
  for (const setting of known) {
    const text = env[setting.variable];
    if (text === undefined || text === "") continue;
    const value = valueOf(text, setting);
    check(setting, value);
    place(layer, setting.path, value);
  }
  return layer;
}

function refuseUnknown(env: Readonly<Record<string, string | undefined>>, known: readonly Setting[]): void {
  const variables = known.map(({ variable }) => variable);
  for (const name of Object.keys(env)) {
    if (!name.startsWith(ENV_PREFIX) || env[name] === "" || variables.includes(name)) continue;
    const renamed = known.find(({ path }) => regularVariable(path) === name);
    const hint = renamed === undefined ? didYouMean(name, variables) : `; it is called ${renamed.variable}`;
    throw userError(`${name} is no setting${hint || "; unset it"}`);
  }
}

function valueOf(text: string, { kind }: Setting): JsonValue {
  if (kind === "list") return text.split(",").map((part) => part.trim());
  if (kind === "boolean") return BOOLEANS.get(text.trim().toLowerCase()) ?? text;
  return kind === "number" && /^-?\d+$/.test(text) ? Number(text) : text;
}

function check({ path, variable }: Setting, value: JsonValue): void {
  const alone: Record<string, JsonValue> = {};
  place(alone, path, value);
  const checked = ConfigSchema.safeParse(alone);
  if (!checked.success) throw userError(configProblems(checked.error, () => variable).join("; "));
}

function place(target: Record<string, JsonValue>, path: readonly string[], value: JsonValue): void {
  const [first = "", ...rest] = path;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const child: Record<string, JsonValue> = {};
  Object.assign(child, target[first]);
  place(child, rest, value);
  target[first] = child;
}
