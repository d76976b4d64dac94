import { readFile } from "node:fs/promises";
import path from "node:path";
import { adviceOn, errnoOf } from "@cortex-os/mcp-registry";
import { isJsonObject, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";
import { reasonOf, userError } from "../user-error.js";
import { environmentLayer } from "./environment.js";
import { configProblems, dotted } from "./problems.js";
import { ConfigSchema, type Config } from "./schema.js";

/** Where a configuration comes from. */
export interface ConfigSources {
  /** The file to read. */
  readonly file: string;
  /** Whether somebody named the file: then it must exist. */
  readonly fileRequired: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths in the environment count from; those in the file count from the file's own. */
  readonly cwd: string;
  /** What flags set, in the shape of the file. */
  readonly flags: JsonObject;
  /** Defaults of the program at hand, which everything else overrides. */
  readonly base?: JsonObject;
}

/**
 * The configuration: flags over environment over file over defaults.
 *
 * @throws GatewayError USER_INPUT when a source cannot be read or holds what the schema refuses; the message names the
 *   file, the variable or the flag
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { base = {}, file, env, cwd, flags } = sources;
  const ofFile = withAbsolutePaths(await fileLayer(sources), path.dirname(file));
  const ofEnvironment = withAbsolutePaths(environmentLayer(env), cwd);
  const parsed = ConfigSchema.safeParse([base, ofFile, ofEnvironment, flags].reduce(merged));
  // File and environment were checked layer by layer: what is left to refuse came from a flag.
  if (!parsed.success) throw userError(configProblems(parsed.error, (at) => `--${dotted(at)}`).join("; "));
  return parsed.data;
}

async function fileLayer({ file, fileRequired }: ConfigSources): Promise<JsonObject> {
  const text = await readText(file, fileRequired);
  if (text === undefined) return {};
  const value = parsedJson(file, text);
  const checked = ConfigSchema.safeParse(value);
  if (!checked.success) throw userError(`${file}: ${configProblems(checked.error).join("; ")}`);
  return isJsonObject(value) ? value : {};
}

async function readText(file: string, required: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw userError(`cannot read ${file}: ${adviceOn(error)}`, { cause: error });
    if (required) throw userError(`there is no file ${file}; name an existing one with --config`, { cause: error });
    return undefined;
  }
}

function parsedJson(file: string, text: string): unknown {
  try {
    // Editors on Windows put a byte order mark in front.
    return JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
  } catch (error) {
    throw userError(`${file} is not JSON: ${reasonOf(error)}; mend it or move it away`, { cause: error });
  }
}

/** A layer whose paths of files are absolute: what they count from is known only here. */
function withAbsolutePaths(layer: JsonObject, folder: string): JsonObject {
  const { serviceMap } = layer;
  if (!isJsonObject(serviceMap)) return layer;
  const { keysFile } = serviceMap;
  if (typeof keysFile !== "string") return layer;
  return { ...layer, serviceMap: { ...serviceMap, keysFile: path.resolve(folder, keysFile) } };
}

function merged(under: JsonObject, over: JsonObject): JsonObject {
  const result: Record<string, JsonValue | undefined> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    if (value !== undefined) result[key] = isJsonObject(below) && isJsonObject(value) ? merged(below, value) : value;
  }
  return result;
}
