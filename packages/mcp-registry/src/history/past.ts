import { GatewayError } from "@cortex-os/mcp-core";
import { RegistryTable } from "../document/registry-table.js";
import type { Change } from "../journal/journal.js";
import type { Operation } from "../journal/operation.js";
import { makeEqual } from "../recovery/differences.js";
import { evidenceOf, firstOf } from "../recovery/evidence.js";
import { readFiles } from "../recovery/read-files.js";
import { changesOf } from "../recovery/replay.js";
import type { RegistryFiles } from "../registry-files.js";
import { undoneIn } from "./registry-change.js";

/** What the journals tell about the past. */
export interface Past {
  /** Oldest first, each once. */
  readonly changes: readonly Change[];
  /** Whether they begin where the registry began. */
  readonly isWhole: boolean;
}

/** Operations that take the registry back to a state it was in. */
export interface WayBack {
  readonly operations: readonly Operation[];
  /** The changes that it takes back. */
  readonly undone: readonly Change[];
}

/** The changes that both journals tell: all since the older one began, at least the last journal limit's worth. */
export function readPast(files: RegistryFiles): Past {
  const { journals } = evidenceOf(readFiles(files).bytes);
  const first = firstOf(journals);
  return { changes: changesOf(journals), isWhole: first?.base === 0 && !first.onFile };
}

/** How to take the latest group back that was not taken back and takes nothing back itself; nothing when there is none. */
export function wayToUndo(table: RegistryTable, { changes }: Past): WayBack {
  const undone = undoneIn(changes);
  const groups = new Set(changes.filter(({ undoes }) => undoes.length === 0).map(({ group }) => group));
  for (const group of [...groups].toReversed()) {
    if (undone.has(group)) continue;
    const made = changes.filter((change) => change.group === group);
    const operations = wayBack(table, made);
    if (operations.length > 0) return { operations, undone: made };
  }
  return { operations: [], undone: [] };
}

/**
 * How to go back to how it was at a time.
 *
 * @throws GatewayError `USER_INPUT` when the journals do not reach so far, or for what is no time
 */
export function wayToTime(table: RegistryTable, { changes, isWhole }: Past, atMs: number): WayBack {
  if (Number.isNaN(atMs)) throw new GatewayError("USER_INPUT", "what to go back to is no time");
  const known = changes.findLastIndex((change) => change.atMs <= atMs);
  if (known < 0 && !isWhole) {
    const first = changes[0]?.atMs;
    const reach = first === undefined ? "has no changes" : `begins at ${new Date(first).toISOString()}`;
    throw new GatewayError("USER_INPUT", `the journal ${reach}: how it was before is not known; choose a later time`);
  }
  const undone = changes.slice(known + 1);
  return { operations: wayBack(table, undone), undone };
}

function wayBack(table: RegistryTable, changes: readonly Change[]): readonly Operation[] {
  const before = new RegistryTable(table.document);
  for (const { operation } of changes.toReversed()) before.revert(operation);
  return makeEqual(new RegistryTable(table.document), before);
}
