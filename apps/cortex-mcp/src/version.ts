import { readFileSync } from "node:fs";
import { isJsonObject } from "@cortex-os/mcp-core/wire";

/** The version of this program, from its `package.json`. */
export function programVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const version = isJsonObject(manifest) ? manifest["version"] : undefined;
  if (typeof version !== "string") throw new TypeError("package.json names no version");
  return version;
}
