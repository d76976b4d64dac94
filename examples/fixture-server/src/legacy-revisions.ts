import { LATEST_LEGACY, LEGACY_REVISIONS } from "@cortex-os/mcp-core/wire";

/** One revision of the legacy era. */
export type LegacyRevision = (typeof LEGACY_REVISIONS)[number];

/** Revisions of the legacy era, newest first; at least one. */
export type LegacyRevisions = readonly [string, ...string[]];

/** The revisions of a server whose newest is `newest`. */
export function legacyRevisions(newest: LegacyRevision = LATEST_LEGACY): LegacyRevisions {
  return [newest, ...LEGACY_REVISIONS.filter((revision) => revision < newest)];
}
