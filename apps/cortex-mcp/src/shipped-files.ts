import { readFileSync } from "node:fs";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";

/** The version of this program, from its `package.json`. */
export function programVersion(): string {
  const { version } = shipped("package.json");
  return typeof version === "string" ? version : "unknown";
}

/** The JSON Schema of `config.json`, as it is published: what `configJsonSchema` makes, made beforehand. */
export const shippedConfigSchema = (): JsonObject => shipped("config.schema.json");

/** A file of this package, which stands one above every module: of the bundle, and of what the compiler writes, as long as this one does not move. */
function shipped(name: string): JsonObject {
  const value: unknown = JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));
  if (!isJsonObject(value)) throw new TypeError(`${name} is no JSON object`);
  return value;
}
