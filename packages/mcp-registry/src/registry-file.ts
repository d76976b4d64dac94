import { messageOf, ServerInfoSchema, type ServerInfo } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";

/** An element of `servers`: what was read, and the server in it or the reason why there is none. */
type RegistryItem =
  | { readonly raw: unknown; readonly name: string; readonly entry: ServerInfo }
  | { readonly raw: unknown; readonly name: string | undefined; readonly reason: string };

/** The content of `servers.json`, with all that we do not understand kept as it was. A value: changes make a new one. */
export interface RegistryDocument {
  /** All top-level members as they were read; `servers` only keeps its place here. */
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
  | {
      readonly ok: true;
      readonly document: RegistryDocument;
      readonly entries: readonly ServerInfo[];
      readonly setAside: readonly SetAsideEntry[];
    }
  | { readonly ok: false; readonly reason: string };

const MOST_ISSUES = 3;
const LONGEST_NAME = 64;

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
  const servers = Object.hasOwn(value, "servers") ? value["servers"] : [];
  if (!Array.isArray(servers)) return { ok: false, reason: 'its "servers" is not a list' };
  const document = { members: value, items: servers.map(itemOf) };
  return { ok: true, document, entries: entriesOf(document), setAside: setAsideOf(document) };
}

/** The text of a `servers.json`: two spaces, a newline at the end, everything in the order it has in the document. */
export function serialiseRegistryFile(document: RegistryDocument): string {
  const content = { ...document.members, servers: document.items.map(({ raw }) => raw) };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The servers of a document in file order. Of several with one name the last counts, and keeps its place. */
export function entriesOf(document: RegistryDocument): ServerInfo[] {
  const last = lastByName(document);
  return document.items.flatMap((item) => ("entry" in item && last.get(item.name) === item ? [item.entry] : []));
}

/** The elements of a document that are not served, in file order. */
export function setAsideOf(document: RegistryDocument): SetAsideEntry[] {
  const last = lastByName(document);
  return document.items.flatMap((item, index) => {
    const name = item.name === undefined ? {} : { name: item.name.slice(0, LONGEST_NAME) };
    if (!("entry" in item)) return [{ index, ...name, reason: item.reason }];
    return last.get(item.name) === item ? [] : [{ index, ...name, reason: "a later entry has the same name" }];
  });
}

/**
 * The document with `entry` in it: in the place of the one with its name (of the served one, if there are several),
 * otherwise at the end. A bad element of that name is replaced too: naming it is asking for it.
 */
export function withEntry(document: RegistryDocument, entry: ServerInfo): RegistryDocument {
  const item = { raw: entry, name: entry.name, entry };
  const served = document.items.findLastIndex((other) => "entry" in other && other.name === entry.name);
  const at = served >= 0 ? served : document.items.findLastIndex((other) => other.name === entry.name);
  return { ...document, items: at < 0 ? [...document.items, item] : document.items.with(at, item) };
}

/** The document without anything of that name, bad elements too; the same document if there was nothing. */
export function withoutName(document: RegistryDocument, name: string): RegistryDocument {
  const items = document.items.filter((item) => item.name !== name);
  return items.length === document.items.length ? document : { ...document, items };
}

function itemOf(raw: unknown): RegistryItem {
  const parsed = ServerInfoSchema.safeParse(raw);
  if (parsed.success) return { raw, name: parsed.data.name, entry: parsed.data };
  const name = isJsonObject(raw) && typeof raw["name"] === "string" ? raw["name"] : undefined;
  return { raw, name, reason: reasonOfIssues(parsed.error.issues) };
}

/** The first issues of a refused entry in one line: the field, then what is wrong with it. */
export function reasonOfIssues(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const told = issues
    .slice(0, MOST_ISSUES)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`));
  const more = issues.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

function lastByName(document: RegistryDocument): Map<string | undefined, RegistryItem> {
  return new Map(document.items.filter((item) => "entry" in item).map((item) => [item.name, item]));
}

/** The line and column of a JSON error, where the engine tells its position; it quotes the text, so we do not repeat it. */
function placeOf(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return "";
  const before = text.slice(0, Number(position));
  return ` (line ${before.split("\n").length}, column ${before.length - before.lastIndexOf("\n")})`;
}
