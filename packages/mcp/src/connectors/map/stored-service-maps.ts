import { createHash } from "node:crypto";
import type { MapFloor } from "@cortex-os/protocol";
import type { MapPublisher } from "./map-publisher.js";

/** One service map as it was received: bytes that are verified again whenever they are used. */
export interface StoredMap {
  /** The body, to the last byte: re-encoding it could break its signature. */
  readonly body: string;
  /** The `ETag` it came with. */
  readonly etag?: string;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number;
}

/** What is remembered of the service map across restarts. Nothing in it is believed without its signature but the floor, which only refuses. */
export interface StoredServiceMaps {
  /** The newest map ever accepted: none older is, ever again (R2). */
  readonly floor?: MapFloor;
  /** The newest map accepted. */
  readonly accepted?: StoredMap;
  /** A newer one that waits for a person's word (R6). */
  readonly held?: StoredMap;
  /** Accepted before, with other connectors; newest first, at most {@link MOST_PREVIOUS}. */
  readonly previous: readonly StoredMap[];
  /** The digest (`VerifiedServiceMap.digest`) of the map that stays in force whatever comes. */
  readonly pinned?: string;
  /** When this was saved, in milliseconds since the epoch: a clock that shows less was set back. */
  readonly savedAtMs: number;
  /** Whose they are, where the store was told. */
  readonly publisher?: MapPublisher;
}

/** Nothing was ever received. */
export const NO_SERVICE_MAPS: StoredServiceMaps = { previous: [], savedAtMs: 0 };

/** How many maps there are to roll back to. */
export const MOST_PREVIOUS = 5;

/** Where {@link StoredServiceMaps} are kept. */
export interface ServiceMapStore {
  /**
   * What is stored, `undefined` when there is nothing. What was damaged is told in the log and missing from it.
   *
   * @throws GatewayError `REGISTRY_IO` when it cannot be read
   */
  load(): Promise<StoredServiceMaps | undefined>;
  /**
   * Stores what `change` makes of what is stored, and nobody else changes it meanwhile, not even another process. Durable when it resolves.
   * A `change` that returns what it was given, or throws, stores nothing.
   *
   * @returns what is stored now
   * @throws GatewayError `REGISTRY_IO` when it cannot be read or written; what `change` throws
   */
  update(change: (now: StoredServiceMaps | undefined) => StoredServiceMaps): Promise<StoredServiceMaps>;
}

const VERSION = 1;

/** What is small and has no signature of its own: covered by a checksum. */
type Head = Pick<StoredServiceMaps, "floor" | "pinned" | "savedAtMs" | "publisher">;

/**
 * As the text of a file: JSON, one member a line, so that damage in one place leaves the others readable.
 */
export function storedText({ accepted, held, previous, ...head }: StoredServiceMaps): string {
  const members = { v: VERSION, head, sum: sumOf(head), accepted, held, previous };
  const lines = Object.entries(members).flatMap(([name, value]) =>
    value === undefined ? [] : `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** What {@link parseStored} found. */
export interface ParsedStored {
  /** Everything that is sound; `undefined` when nothing is. */
  readonly stored?: StoredServiceMaps;
  /** What is not, to read after "the file". */
  readonly damage?: string;
}

/** Reads what {@link storedText} wrote, and of a damaged text whatever is sound. Never throws. */
export function parseStored(text: string): ParsedStored {
  const members = membersOf(text);
  const bad: string[] = [];
  const take = <T>(name: string, isSound: (value: unknown) => value is T): T | undefined => {
    const value = members.get(name);
    if (isSound(value)) return value;
    if (value !== undefined) bad.push(name);
    return undefined;
  };
  const sum = members.get("sum");
  const head = take("head", (value): value is Head => isHead(value) && sumOf(value) === sum);
  const accepted = take("accepted", isStoredMap);
  const held = take("held", isStoredMap);
  const previous = take("previous", (value): value is StoredMap[] => Array.isArray(value) && value.every(isStoredMap));
  if (members.get("v") !== VERSION) bad.unshift("v");
  if (head === undefined && !bad.includes("head")) bad.push("head");
  if (previous === undefined && !bad.includes("previous")) bad.push("previous");
  if (!isJson(text)) bad.unshift("the JSON");
  const damage = bad.length === 0 ? {} : { damage: `is damaged (${bad.join(", ")})` };
  if (head === undefined && accepted === undefined && held === undefined && previous === undefined) return damage;
  const maps = { ...(accepted === undefined ? {} : { accepted }), ...(held === undefined ? {} : { held }) };
  return {
    stored: { savedAtMs: 0, ...head, ...maps, previous: (previous ?? []).slice(0, MOST_PREVIOUS) },
    ...damage,
  };
}

/** The members of the document; line by line when it is no JSON as a whole. */
function membersOf(text: string): ReadonlyMap<string, unknown> {
  const whole = parsed(text);
  if (isObject(whole)) return new Map(Object.entries(whole));
  const lines = text.split("\n").map((line) => parsed(`{${line.replace(/,$/, "")}}`));
  return new Map(lines.filter(isObject).flatMap((member) => Object.entries(member)));
}

const isJson = (text: string): boolean => isObject(parsed(text));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** No secret and no signature: it tells damage, not malice; whoever can write here can do anything. */
function sumOf(head: Head): string {
  return createHash("sha256").update(JSON.stringify(head)).digest("hex");
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Only the shape that JSON can get wrong unnoticed: the checksum vouches for the rest. */
function isHead(value: unknown): value is Head {
  return isObject(value) && "savedAtMs" in value && typeof value.savedAtMs === "number";
}

function isStoredMap(value: unknown): value is StoredMap {
  if (!isObject(value) || !("body" in value && "receivedAtMs" in value)) return false;
  const etag = "etag" in value ? value.etag : undefined;
  return (
    typeof value.body === "string" &&
    typeof value.receivedAtMs === "number" &&
    (etag === undefined || typeof etag === "string")
  );
}
