/** `modern`: per-request metadata, no session. `legacy`: `initialize` and sessions. (2026-07-28, versioning, Terminology.) */
export type Era = "modern" | "legacy";

/** Published revisions of the modern era that the gateway speaks, newest first. */
export const MODERN_REVISIONS = ["2026-07-28"] as const;

/** Published revisions of the legacy era that the gateway speaks, newest first. */
export const LEGACY_REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;

/** Every revision the gateway speaks, newest first: what `server/discover` and −32022 list. */
export const SUPPORTED_REVISIONS: readonly string[] = [...MODERN_REVISIONS, ...LEGACY_REVISIONS];

/** What the gateway offers when it opens a modern conversation. */
export const LATEST_MODERN = MODERN_REVISIONS[0];

/** What the gateway offers in `initialize`. */
export const LATEST_LEGACY = LEGACY_REVISIONS[0];

/** Whether the gateway speaks this modern revision. */
export const isModernRevision = (revision: string): boolean =>
  (MODERN_REVISIONS as readonly string[]).includes(revision);

/** Whether the gateway speaks this legacy revision. */
export const isLegacyRevision = (revision: string): boolean =>
  (LEGACY_REVISIONS as readonly string[]).includes(revision);

/**
 * The era a revision belongs to, also one we do not know: revisions are dates, and the modern era began with 2026-07-28.
 */
export const eraOfRevision = (revision: string): Era => (revision < LATEST_MODERN ? "legacy" : "modern");
