import { isDeeperThan, isJsonObject, isTtl, MAX_JSON_DEPTH, type Era, type JsonObject } from "@cortex-os/mcp-core/wire";

/** A result that may be given once more, for a while. */
export interface KeptAnswer {
  /** For how long, in milliseconds from when it was asked for; at least 1. */
  readonly ttlMs: number;
  /** `private`: to the same authorization context only. */
  readonly cacheScope: "public" | "private";
  /** The members of the result that both eras see, encoded. */
  readonly members: Buffer;
}

/** A result as it may be kept, or `undefined` if it may not: incomplete ones, those without true hints, those that are no answer to a read. */
export function keptAnswer(result: JsonObject): KeptAnswer | undefined {
  const { resultType, ttlMs, cacheScope, ...rest } = result;
  if (resultType !== "complete" || !isTtl(ttlMs) || ttlMs === 0) return undefined;
  if (cacheScope !== "public" && cacheScope !== "private") return undefined;
  if (!areContents(rest["contents"]) || isDeeperThan(rest, MAX_JSON_DEPTH)) return undefined;
  return { ttlMs, cacheScope, members: ownBytes(JSON.stringify(rest).slice(1, -1)) };
}

/** As bytes of its own: a small `Buffer.from` would hold a whole piece of Node's pool for as long as the answer is kept. */
function ownBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** What is left of a time to live: never negative, never more than is true. Whole numbers are subtracted, which is exact however large they are. */
export const remainingTtlMs = (ttlMs: number, ageMs: number): number => Math.max(0, ttlMs - Math.ceil(ageMs));

/** The whole result in the era of the client, in pieces to be written one after the other. @param ttlMs what is left */
export function encodeKept({ members, cacheScope }: KeptAnswer, era: Era, ttlMs: number): readonly Buffer[] {
  if (era === "legacy") return [OPEN, members, CLOSE];
  return [OPEN_COMPLETE, members, Buffer.from(`,"ttlMs":${ttlMs},"cacheScope":"${cacheScope}"}`)];
}

const OPEN = Buffer.from("{");
const CLOSE = Buffer.from("}");
const OPEN_COMPLETE = Buffer.from('{"resultType":"complete",');

/** 2026-07-28, Resources: each has the address it is of. */
const areContents = (value: unknown): boolean =>
  Array.isArray(value) && value.every((content) => isJsonObject(content) && typeof content["uri"] === "string");
