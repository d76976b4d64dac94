import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { isCount } from "../is-count.js";
import type { RegistryDocument } from "./registry-file.js";
import { canonicalText } from "./registry-item.js";

/** Which state of which registry a snapshot is. */
export interface Generation {
  /** Tells one registry from every other: a file copied from elsewhere is no older state of this one. */
  readonly id: string;
  /** The epoch of the journal that was written to at the time. */
  readonly epoch: number;
  /** How many changes there had been. */
  readonly seq: number;
}

/** What `_meta` of a `servers.json` says about it. */
export interface Seal extends Generation {
  /** The version of the form; 1 is ours. */
  readonly v: number;
  readonly sha256: string;
}

const VERSION = 1;
const OURS = new Set(["v", "id", "epoch", "seq", "sha256"]);

/** Ours in `_meta`: which generation this is, and the sum that tells whether it still says what we wrote. */
export function metaOf(generation: Generation, document: RegistryDocument): Seal & JsonObject {
  const { id, epoch, seq } = generation;
  return { v: VERSION, id, epoch, seq, sha256: sumOf({ v: VERSION, id, epoch, seq }, document) };
}

/** What somebody else has put into `_meta`. */
export function metaRest(members: JsonObject): JsonObject {
  const meta = members["_meta"];
  return isJsonObject(meta) ? meta : {};
}

/** A parsed file without what is ours in `_meta`, and that; no seal when it is not whole. */
export function unsealed(file: JsonObject): { readonly members: JsonObject; readonly seal: Seal | undefined } {
  const { _meta: meta, ...others } = file;
  const members = { ...others, ...(Object.hasOwn(file, "servers") ? { servers: [] } : {}) };
  if (!isJsonObject(meta))
    return { members: meta === undefined ? members : { ...members, _meta: meta }, seal: undefined };
  const rest = Object.fromEntries(Object.entries(meta).filter(([name]) => !OURS.has(name)));
  return { members: { ...members, ...(Object.keys(rest).length === 0 ? {} : { _meta: rest }) }, seal: sealOf(meta) };
}

/** Whether a file still says what it was sealed with. */
export const isIntact = (seal: Seal, document: RegistryDocument): boolean => sumOf(seal, document) === seal.sha256;

/** Whether a program newer than this one wrote it, in a form that only that one understands. */
export const isNewer = (seal: Seal): boolean => seal.v > VERSION;

/** SHA-256 over the generation, the RFC 8785 form of `servers` and, if there is any, that of everything else. */
function sumOf({ v, id, epoch, seq }: Omit<Seal, "sha256">, { members, items }: RegistryDocument): string {
  const { servers: _, ...rest } = members;
  const sum = createHash("sha256").update(`${v}:${id}:${epoch}:${seq}:[`);
  // In one piece: a call for each of thousands of items takes longer than the sum itself.
  sum.update(Buffer.concat(items.map(({ summed }) => summed)).subarray(1)).update("]");
  if (Object.keys(rest).length > 0) sum.update(canonicalText(rest));
  return sum.digest("hex");
}

function sealOf({ v, id, epoch, seq, sha256 }: JsonObject): Seal | undefined {
  if (typeof id !== "string" || typeof sha256 !== "string") return undefined;
  return isCount(v) && isCount(epoch) && isCount(seq) ? { v, id, epoch, seq, sha256 } : undefined;
}
