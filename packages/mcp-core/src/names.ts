import { createHash } from "node:crypto";

/** What a connector's key may be: it becomes a part of tool names and must never become a path. */
const CONNECTOR_KEY = /^[A-Za-z0-9_-]{1,32}$/;
/** What a tool's public name may hold; model APIs refuse the rest. */
const NOT_IN_A_NAME = /[^A-Za-z0-9_-]/g;
const HASH_DIGITS = 8;

/** Whether `key` can name a connector: 1 to 32 letters, digits, `_` or `-`. */
export const isConnectorKey = (key: string): boolean => CONNECTOR_KEY.test(key);

/** How public names are made (design.md, decision 4). */
export interface NamePolicy {
  /** Between key and tool. @default "__" */
  readonly separator: string;
  /** Longest public name in characters. @default 50 */
  readonly maxLength: number;
  /** `always`: every name gets its connector's key. `never`: none does. `auto`: only names that two connectors offer, as long as they both do. @default "always" */
  readonly prefix: "always" | "auto" | "never";
}

/** {@link NamePolicy}'s defaults. */
export const DEFAULT_NAME_POLICY: NamePolicy = { separator: "__", maxLength: 50, prefix: "always" };

/**
 * The name under which clients see a tool.
 *
 * Characters that model APIs refuse become `_` (the separator itself is kept as configured). A name that was changed, or is longer than
 * `maxLength`, is cut and ends in `_` and 8 hex digits of the SHA-256 of what it stands for, so that two such names stay apart.
 * Never split it again: the catalog looks it up. With a `maxLength` under 9 the digest itself is cut, and names may meet.
 */
export function publicToolName(
  key: string,
  tool: string,
  policy: Pick<NamePolicy, "separator" | "maxLength">,
  prefixed: boolean,
): string {
  const start = prefixed ? key + policy.separator : "";
  const clean = tool.replace(NOT_IN_A_NAME, "_");
  const name = start + clean;
  if (clean === tool && name.length <= policy.maxLength) return name;
  return withDigest(name, key, tool, policy.maxLength);
}

/** The prefixed name of a tool, with the digest in any case: for one whose plain prefixed name is what another tool is called. */
export function distinctToolName(
  key: string,
  tool: string,
  policy: Pick<NamePolicy, "separator" | "maxLength">,
): string {
  return withDigest(key + policy.separator + tool.replace(NOT_IN_A_NAME, "_"), key, tool, policy.maxLength);
}

function withDigest(name: string, key: string, tool: string, maxLength: number): string {
  const digest = createHash("sha256").update(`${key}\0${tool}`).digest("hex").slice(0, HASH_DIGITS);
  const room = Math.max(0, maxLength - HASH_DIGITS - 1);
  return `${name.slice(0, room)}_${digest}`.slice(0, maxLength);
}
