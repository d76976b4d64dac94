import { canonicalJson, connectorsOf, type ConnectorEntry, type ServiceMapPayload } from "@cortex-os/protocol";

/** Which of two maps is meant. */
export interface MapName {
  readonly id: string;
  readonly generatedAt: string;
}

/** What becomes of the connectors when one map follows another; ids are sorted. */
export interface MapDiff {
  readonly from?: MapName;
  readonly to?: MapName;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** In both, with other values of these members, compared after normalising (R1). */
  readonly changed: readonly { readonly id: string; readonly members: readonly string[] }[];
  readonly unchanged: number;
}

/** Compares the connectors of two maps; without `from` all of `to` are added. */
export function diffMaps(from: ServiceMapPayload | undefined, to: ServiceMapPayload): MapDiff {
  const before = byId(from);
  const after = byId(to);
  const shared = [...after].flatMap(([id, entry]) => {
    const old = before.get(id);
    return old === undefined ? [] : [{ id, members: changedMembers(old, entry) }];
  });
  const changed = shared.filter(({ members }) => members.length > 0);
  return {
    ...(from === undefined ? {} : { from: nameOf(from) }),
    to: nameOf(to),
    added: [...after.keys()].filter((id) => !before.has(id)).toSorted(),
    removed: [...before.keys()].filter((id) => !after.has(id)).toSorted(),
    changed: changed.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    unchanged: shared.length - changed.length,
  };
}

/** Whether both maps name the same connectors: one is then the other, signed anew. */
export function sameConnectors(a: ServiceMapPayload, b: ServiceMapPayload): boolean {
  const { added, removed, changed } = diffMaps(a, b);
  return added.length + removed.length + changed.length === 0;
}

const nameOf = ({ id, generatedAt }: ServiceMapPayload): MapName => ({ id, generatedAt });

function byId(map: ServiceMapPayload | undefined): ReadonlyMap<string, ConnectorEntry> {
  return new Map(map === undefined ? [] : connectorsOf(map).map((entry) => [entry.id, entry]));
}

/** Spellings whose meaning the normalised members have; a `ttl` that is a moment changes with each signature, and means nothing to us. */
const OTHER_SPELLINGS = ["displayName", "enabled", "ttl"];

function changedMembers(before: ConnectorEntry, after: ConnectorEntry): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const spelling of OTHER_SPELLINGS) names.delete(spelling);
  return [...names].filter((name) => textOf(before[name]) !== textOf(after[name])).toSorted();
}

const textOf = (value: unknown): string | undefined => (value === undefined ? undefined : canonicalJson(value));
