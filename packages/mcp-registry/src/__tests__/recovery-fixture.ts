import { createHash } from "node:crypto";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { parseRegistryFile, registryFileBytes, type RegistryDocument } from "../document/registry-file.js";
import type { Generation } from "../document/seal.js";
import { encodeChange, encodeDurableMark, encodeHeader, encodeSnapshotMark, type Change } from "../journal/journal.js";
import type { Operation } from "../journal/operation.js";

/** The registry that the files of these tests are of. */
export const ID = "0123456789abcdef";
/** When its first change was made. */
export const START_MS = 1_700_000_000_000;

/** A document, as a file with this content would have. */
export function documentOf(content: unknown): RegistryDocument {
  const parsed = parseRegistryFile(typeof content === "string" ? content : JSON.stringify(content));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.document;
}

/** A `servers.json` with a whole seal. */
export function sealedFile(content: unknown, generation: Partial<Generation> = {}): Buffer {
  return registryFileBytes(documentOf(content), { id: ID, epoch: 1, seq: 0, ...generation });
}

/** A `servers.json` that somebody changed after it was sealed. */
export function editedFile(content: unknown, sealed: unknown, generation: Partial<Generation> = {}): Buffer {
  const { _meta } = JSON.parse(sealedFile(sealed, generation).toString()) as { _meta: unknown };
  return Buffer.from(JSON.stringify({ _meta, ...(content as object) }));
}

/** A `servers.json` that nobody has sealed. */
export const looseFile = (content: unknown): Buffer => Buffer.from(JSON.stringify(content));

/** A step of a journal: an operation, a change in full, or a mark. */
export type Step = Operation | Partial<Change> | { readonly durable: number } | { readonly inSnapshot: number };

/** A journal: its header, then one frame for each step. Changes are numbered on from `base`. */
export function journalFile(steps: readonly Step[], { id = ID, epoch = 1, base = 0, onFile = false } = {}): Buffer {
  return Buffer.concat([encodeHeader({ id, epoch, base, onFile }, START_MS), ...frames(steps, epoch, base)]);
}

/** The frames of the steps alone. */
export function frames(steps: readonly Step[], epoch = 1, base = 0): Buffer[] {
  let seq = base;
  return steps.map((step) => {
    if ("durable" in step) return encodeDurableMark(epoch, step.durable);
    if ("inSnapshot" in step) return encodeSnapshotMark(epoch, step.inSnapshot);
    const change =
      "op" in step ? changeOf(step, seq + 1) : { ...changeOf({ op: "r", n: "", w: [] }, seq + 1), ...step };
    seq = change.seq;
    return encodeChange({ ...change, group: "group" in step ? change.group : change.seq }, epoch, 0);
  });
}

/** A change of a command. */
export const changeOf = (operation: Operation, seq: number): Change => ({
  ...{ seq, atMs: START_MS + seq * 1_000, by: "command", group: seq, undoes: [], operation },
});

/** The operation that adds a server. */
export const adding = (name: string, command = "run"): Operation => ({ op: "u", v: stdio(name, command) });

/** The operation that removes one. */
export const removing = (name: string): Operation => ({ op: "r", n: name, w: [[0, stdio(name)]] });

/** A server that is good enough for a registry. */
export const stdio = (name: string, command = "run"): ServerInfo => ({ name, command });

/** A `servers.json` of a form that only a newer program knows. */
export function newerFile(version: number): string {
  const document = documentOf({ servers: [stdio("a")] });
  const sha256 = newerSum(version, document);
  return JSON.stringify({ _meta: { v: version, id: ID, epoch: 1, seq: 1, sha256 }, servers: [stdio("a")] });
}

const newerSum = (version: number, { items }: RegistryDocument): string =>
  createHash("sha256")
    .update(`${version}:${ID}:1:1:[${items.map(({ canonical }) => canonical).join(",")}]`)
    .digest("hex");
