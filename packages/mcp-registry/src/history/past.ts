import { GatewayError } from "@cortex-os/mcp-core";
import { RegistryTable } from "../document/registry-table.js";
import type { Change } from "../journal/journal.js";
import type { Operation } from "../journal/operation.js";
import { makeEqual } from "../recovery/differences.js";
import { evidenceOf, firstOf, type Evidence } from "../recovery/evidence.js";
import { readFiles } from "../recovery/read-files.js";
import { changesOf } from "../recovery/replay.js";
import type { RegistryFiles } from "../registry-files.js";
import { undoneIn } from "./registry-change.js";

/** What the journals tell about the past. */
export interface Past {
  /** Oldest first, each once. */
  readonly changes: readonly Change[];
  /** Those that go on up to now with none missing: only these tell how it was. */
  readonly known: readonly Change[];
  /** Whether the known ones begin where the registry began. */
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
  const evidence = evidenceOf(readFiles(files).bytes);
  const changes = changesOf(evidence.journals);
  const first = firstOf(evidence.journals);
  const seqs = [first?.base ?? 0, ...changes.map(({ seq }) => seq), seqAfter(evidence)];
  const gap = seqs.findLastIndex((seq, at) => seq > (seqs[at - 1] ?? seq) + (at === seqs.length - 1 ? 0 : 1));
  const known = gap < 0 ? changes : changes.slice(gap - 1);
  return { changes, known, isWhole: gap < 0 && first?.base === 0 && !first.onFile };
}

/** Up to which change there must be some at least: a newer snapshot or a newer journal says so. */
const seqAfter = ({ snapshot, log, id }: Evidence): number =>
  Math.max(
    log?.header?.id === id ? (log?.header?.base ?? 0) : 0,
    snapshot.kind === "sealed" && snapshot.generation.id === id ? snapshot.generation.seq : 0,
  );

/** How to take the latest group back that was not taken back and takes nothing back itself; nothing when there is none. */
export function wayToUndo(table: RegistryTable, { known }: Past): WayBack {
  const undone = undoneIn(known);
  // Of one that began before what is known, only a part could be taken back.
  const isWhole = ({ group }: Change): boolean => group >= (known[0]?.seq ?? 0);
  const own = known.filter((change) => change.undoes.length === 0 && isWhole(change));
  const groups = new Set(own.map(({ group }) => group));
  for (const group of [...groups].toReversed()) {
    if (undone.has(group)) continue;
    const made = known.filter((change) => change.group === group);
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
export function wayToTime(table: RegistryTable, { known, isWhole }: Past, atMs: number): WayBack {
  if (Number.isNaN(atMs)) throw new GatewayError("USER_INPUT", "what to go back to is no time");
  const last = known.findLastIndex((change) => change.atMs <= atMs);
  if (last < 0 && !isWhole) {
    const first = known[0]?.atMs;
    const reach = first === undefined ? "has no changes" : `begins at ${new Date(first).toISOString()}`;
    throw new GatewayError("USER_INPUT", `the journal ${reach}: how it was before is not known; choose a later time`);
  }
  const undone = known.slice(last + 1);
  return { operations: wayBack(table, undone), undone };
}

function wayBack(table: RegistryTable, changes: readonly Change[]): readonly Operation[] {
  const before = new RegistryTable(table.document);
  for (const { operation } of changes.toReversed()) before.revert(operation);
  return makeEqual(new RegistryTable(table.document), before);
}
