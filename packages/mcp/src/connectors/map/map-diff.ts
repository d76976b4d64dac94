import { createHash } from "node:crypto";
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

/** Digests of payloads that were compared: a map of a megabyte takes long enough to be felt, and is compared with several. */
const digests = new WeakMap<ServiceMapPayload, string>();

/**
 * SHA-256 in hex of what a map says about its connectors, in one spelling and whatever their order. A map that is only signed anew has the same, although
 * some publishers then change each connector's `ttl`.
 */
export function connectorsDigest(map: ServiceMapPayload): string {
  const known = digests.get(map);
  if (known !== undefined) return known;
  const meaning = [...byId(map)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => meant(entry));
  const digest = createHash("sha256").update(canonicalJson(meaning)).digest("hex");
  digests.set(map, digest);
  return digest;
}

/** Whether both maps name the same connectors: one is then the other, signed anew. */
export const sameConnectors = (a: ServiceMapPayload, b: ServiceMapPayload): boolean =>
  connectorsDigest(a) === connectorsDigest(b);

const nameOf = ({ id, generatedAt }: ServiceMapPayload): MapName => ({ id, generatedAt });

function byId(map: ServiceMapPayload | undefined): ReadonlyMap<string, ConnectorEntry> {
  return new Map(map === undefined ? [] : connectorsOf(map).map((entry) => [entry.id, entry]));
}

/** Spellings whose meaning the normalised members have; a `ttl` that is a moment changes with each signature, and means nothing to us. */
const OTHER_SPELLINGS = ["displayName", "enabled", "ttl"];

function meant(entry: ConnectorEntry): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(entry).filter(([name, value]) => value !== undefined && !OTHER_SPELLINGS.includes(name)),
  );
}

function changedMembers(before: ConnectorEntry, after: ConnectorEntry): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const spelling of OTHER_SPELLINGS) names.delete(spelling);
  return [...names].filter((name) => textOf(before[name]) !== textOf(after[name])).toSorted();
}

const textOf = (value: unknown): string | undefined => (value === undefined ? undefined : canonicalJson(value));
