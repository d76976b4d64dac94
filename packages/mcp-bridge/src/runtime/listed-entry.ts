import {
  isJsonObject,
  mirroredParams,
  withoutMirrored,
  type JsonObject,
  type ListKind,
  type MirroredParam,
} from "@cortex-os/mcp-core/wire";
import { mendEntry } from "./mended-entry.js";

/** What the entries of each list are called in messages. */
export const WORDS = {
  tools: "tools",
  resources: "resources",
  resourceTemplates: "resource templates",
  prompts: "prompts",
} as const satisfies Record<ListKind, string>;

/** The member an entry is known by, and its greatest length in UTF-16 units. */
const IDENTITY = {
  tools: { member: "name", word: "name", maxLength: 512 },
  resources: { member: "uri", word: "uri", maxLength: 8_192 },
  resourceTemplates: { member: "uriTemplate", word: "uriTemplate", maxLength: 8_192 },
  prompts: { member: "name", word: "name", maxLength: 512 },
} as const satisfies Record<ListKind, { readonly member: string; readonly word: string; readonly maxLength: number }>;

/** An entry of a list that can be used, or why it cannot. */
export type ReadEntry =
  | {
      readonly ok: true;
      /** What it is known by. */
      readonly id: string;
      readonly entry: JsonObject;
      /** The parameters that a call of this tool mirrors into headers. */
      readonly mirrored: readonly MirroredParam[];
      /** The members that had to be changed; see {@link mendEntry}. */
      readonly mended: readonly string[];
    }
  | { readonly ok: false; readonly reason: string };

const NONE: readonly MirroredParam[] = [];

/**
 * Looks at one entry: it needs what it is known by, and a tool an `inputSchema` whose annotations keep the rules (2026-07-28, Streamable HTTP, Schema
 * Extension). What would make clients refuse the whole list is mended; everything else is the upstream's own business. Never throws; a reason names the entry.
 *
 * @param mirrors whether parameters of tools may have to be mirrored into headers: the upstream is a modern one over HTTP. With any other the annotations of a
 *   tool mean nothing, but over HTTP the gateway's own clients would have to leave out a tool whose annotations break the rules: it loses them instead
 */
export function readEntry(kind: ListKind, given: JsonObject, mirrors: boolean): ReadEntry {
  const { member, word, maxLength } = IDENTITY[kind];
  const id = given[member];
  if (typeof id !== "string" || id === "" || id.length > maxLength) {
    const shown = id === undefined ? "undefined" : JSON.stringify(id).slice(0, 64);
    return { ok: false, reason: `${shown} (no usable ${word})` };
  }
  const sound = { ok: true as const, id, ...mendEntry(kind, id, given) };
  if (kind !== "tools") return { ...sound, mirrored: NONE };
  const { inputSchema } = given;
  if (!isJsonObject(inputSchema)) return { ok: false, reason: `${id.slice(0, 64)} (no inputSchema)` };
  const { type } = inputSchema;
  if (type !== undefined && type !== "object")
    return { ok: false, reason: `${id.slice(0, 64)} (its inputSchema is not of an object)` };
  const mirrored = mirroredParams(inputSchema);
  if (mirrored.ok) return { ...sound, mirrored: mirrors ? mirrored.params : NONE };
  if (mirrors) return { ok: false, reason: `${id.slice(0, 64)} (${mirrored.reason})` };
  const { entry, mended } = sound;
  const schema = isJsonObject(entry["inputSchema"]) ? entry["inputSchema"] : inputSchema;
  const unannotated = { ...entry, inputSchema: withoutMirrored(schema) };
  return { ...sound, entry: unannotated, mended: [...mended, "x-mcp-header"], mirrored: NONE };
}
