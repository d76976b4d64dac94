import { messageOf } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { isDeeperThan } from "./depth.js";
import { RegistryItem } from "./registry-item.js";
import { metaOf, metaRest, unsealed, type Generation, type Seal } from "./seal.js";

/** The content of `servers.json`, with all that we do not understand kept as it was. A value: changes make a new one. */
export interface RegistryDocument {
  /** All top-level members as they were read, without our own in `_meta`; `servers` only keeps its place here. */
  readonly members: JsonObject;
  readonly items: readonly RegistryItem[];
}

/** An element of `servers` that is not served, and stays in the file as it is. */
export interface SetAsideEntry {
  /** Its position in `servers`, from 0. */
  readonly index: number;
  /** The first 64 characters of the name it gives itself, if that is a string. */
  readonly name?: string;
  /** Why it is not served; holds field names, never values. */
  readonly reason: string;
}

/** What {@link parseRegistryFile} made of a text. */
export type ParsedRegistry =
  | { readonly ok: true; readonly document: RegistryDocument; readonly seal: Seal | undefined }
  | { readonly ok: false; readonly reason: string };

const LONGEST_NAME = 64;
/** How many lists and objects within each other the file may have; what has more can be read, and not be written again. */
const MAX_LEVELS = 128;

/** A registry with nothing in it. */
export const EMPTY_REGISTRY: RegistryDocument = { members: { servers: [] }, items: [] };

/**
 * Reads the text of a `servers.json`. Never throws: a text that is not `{"servers": […]}` gives the reason, which names a
 * place but quotes nothing, because the file holds secrets. A missing `servers` is an empty one; a bad element is set aside.
 */
export function parseRegistryFile(text: string): ParsedRegistry {
  let value: unknown;
  try {
    // Editors on Windows put a byte order mark in front.
    value = JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
  } catch (error) {
    return { ok: false, reason: `it is not valid JSON${placeOf(messageOf(error), text)}` };
  }
  if (!isJsonObject(value)) return { ok: false, reason: 'it is not a JSON object of the form {"servers": […]}' };
  if (isDeeperThan(value, MAX_LEVELS)) return { ok: false, reason: `it has more than ${MAX_LEVELS} levels` };
  const servers = Object.hasOwn(value, "servers") ? value["servers"] : [];
  if (!Array.isArray(servers)) return { ok: false, reason: 'its "servers" is not a list' };
  const { members, seal } = unsealed(value);
  return { ok: true, document: { members, items: servers.map((raw) => RegistryItem.of(raw)) }, seal };
}

/** The bytes of a `servers.json`: `_meta` with its seal first, then everything in the order it has in the document. */
export function registryFileBytes(document: RegistryDocument, generation: Generation): Buffer {
  const meta = { ...metaOf(generation, document), ...metaRest(document.members) };
  const { members } = document;
  const parts: Buffer[] = [Buffer.from(`{\n  "_meta": ${JSON.stringify(meta)}`)];
  for (const [name, value] of Object.entries(
    Object.hasOwn(members, "servers") ? members : { servers: [], ...members },
  )) {
    if (name === "servers") parts.push(Buffer.from(',\n  "servers": ['), listBytes(document.items), Buffer.from("]"));
    else if (name !== "_meta")
      parts.push(Buffer.from(`,\n  ${JSON.stringify(name)}: ${indented(JSON.stringify(value, null, 2))}`));
  }
  return Buffer.concat([...parts, Buffer.from("\n}\n")]);
}

/** What stands between the brackets: the first item is without its comma. */
const listBytes = (items: readonly RegistryItem[]): Buffer =>
  items.length === 0
    ? Buffer.alloc(0)
    : Buffer.concat([...items.map(({ listed }) => listed), Buffer.from("\n  ")]).subarray(1);

const indented = (text: string): string => text.replaceAll("\n", "\n  ");

/** The elements of a document that are not served, in file order. */
export function setAsideOf(document: RegistryDocument): SetAsideEntry[] {
  const last = lastByName(document);
  return document.items.flatMap((item, index) => {
    const name = item.name === undefined ? {} : { name: item.name.slice(0, LONGEST_NAME) };
    if (item.entry === undefined) return [{ index, ...name, reason: item.reason }];
    return last.get(item.name) === item ? [] : [{ index, ...name, reason: "a later entry has the same name" }];
  });
}

function lastByName(document: RegistryDocument): Map<string | undefined, RegistryItem> {
  return new Map(document.items.filter(({ entry }) => entry !== undefined).map((item) => [item.name, item]));
}

/** The line and column of a JSON error, where the engine tells its position; it quotes the text, so we do not repeat it. */
function placeOf(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return "";
  const before = text.slice(0, Number(position));
  return ` (line ${before.split("\n").length}, column ${before.length - before.lastIndexOf("\n")})`;
}
