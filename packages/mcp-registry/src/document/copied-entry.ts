import type { ServerInfo } from "@cortex-os/mcp-core";
import { isJsonObject } from "@cortex-os/mcp-core/wire";

/** A copy of a server that shares nothing with it. By hand, because it is many times faster than `structuredClone`. */
export function copiedEntry(entry: ServerInfo): ServerInfo {
  const copy = { ...entry };
  unshare(copy);
  return copy;
}

function unshare(copy: Record<string, unknown>): void {
  for (const name of Object.keys(copy)) {
    const member = copy[name];
    if (typeof member === "object") copy[name] = copied(member);
  }
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (!isJsonObject(value)) return value;
  const copy = { ...value };
  unshare(copy);
  return copy;
}
