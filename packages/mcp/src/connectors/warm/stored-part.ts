import { createHash } from "node:crypto";
import type { UpstreamFacts } from "@cortex-os/mcp-bridge";
import { isJsonObject, LIST_KINDS, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { CatalogPart, PartList } from "../../catalog/catalog-part.js";
import type { StoredPart } from "./catalog-store.js";

const VERSION = 1;

/** What {@link readStoredPart} found. */
export type ReadStoredPart =
  | { readonly ok: true; readonly stored: StoredPart; readonly sha256: string }
  | { readonly ok: false; readonly reason: string };

/** The bytes of a file, and the digest in it. */
export interface StoredBytes {
  readonly bytes: Buffer;
  readonly sha256: string;
}

const HEAD = '{"sha256":"';
const AFTER_DIGEST = '",';
const DIGEST_LENGTH = 64;
const REST_AT = HEAD.length + DIGEST_LENGTH + AFTER_DIGEST.length;

/**
 * A JSON document whose first member is the SHA-256 of every byte that follows it: whether it is sound is known before any of it is believed, or parsed. The digest
 * tells damage, not malice: whoever can write in the gateway's home can do anything.
 */
export function storedPartBytes({ key, fingerprint, facts, part }: StoredPart): StoredBytes {
  const rest = Buffer.from(`${JSON.stringify({ v: VERSION, key, fingerprint, facts, part }).slice(1)}\n`);
  const sha256 = sha256Of(rest);
  return { bytes: Buffer.concat([Buffer.from(HEAD + sha256 + AFTER_DIGEST), rest]), sha256 };
}

/** Reads what {@link storedPartBytes} wrote, to the last byte, or says what is wrong. Never throws. */
export function readStoredPart(bytes: Buffer): ReadStoredPart {
  const sha256 = bytes.toString("latin1", HEAD.length, HEAD.length + DIGEST_LENGTH);
  if (bytes.toString("latin1", 0, REST_AT) !== HEAD + sha256 + AFTER_DIGEST) return bad("is not of this format");
  if (sha256Of(bytes.subarray(REST_AT)) !== sha256) return bad("is damaged");
  const value = parsed(bytes.toString("utf8"));
  if (value?.["v"] !== VERSION) return bad("is of another version");
  const { key, fingerprint, facts, part } = value;
  const isSound = typeof key === "string" && typeof fingerprint === "string" && isFacts(facts) && isPart(part);
  if (!isSound || part.key !== key) return bad("holds what no gateway of this version wrote");
  return { ok: true, stored: { key, fingerprint, facts, part }, sha256 };
}

const bad = (reason: string): ReadStoredPart => ({ ok: false, reason });

const sha256Of = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFacts(value: unknown): value is UpstreamFacts {
  if (!isJsonObject(value)) return false;
  const { era, revision, capabilities, detectedAt } = value;
  return (
    (era === "modern" || era === "legacy") &&
    typeof revision === "string" &&
    isJsonObject(capabilities) &&
    typeof detectedAt === "string"
  );
}

function isPart(value: unknown): value is CatalogPart {
  if (!isJsonObject(value)) return false;
  const { key, lists } = value;
  if (typeof key !== "string" || !isJsonObject(lists)) return false;
  return LIST_KINDS.every((kind) => lists[kind] === undefined || isList(lists[kind]));
}

function isList(value: unknown): value is PartList {
  if (!isJsonObject(value)) return false;
  const { entries, ttlMs, cacheScope, leftOut } = value;
  return (
    Array.isArray(entries) &&
    entries.every(isJsonObject) &&
    (ttlMs === undefined || typeof ttlMs === "number") &&
    (cacheScope === undefined || cacheScope === "public" || cacheScope === "private") &&
    (leftOut === undefined || (Array.isArray(leftOut) && leftOut.every((entry) => typeof entry === "string")))
  );
}
