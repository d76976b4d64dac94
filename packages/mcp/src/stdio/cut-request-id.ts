import type { RequestId } from "@cortex-os/mcp-core/wire";

/** How much of the beginning of a line is looked into, in characters. */
export const HEAD_CHARACTERS = 1_024;

const STRING = String.raw`"(?:[^"\\]|\\.)*"`;
const INTEGER = String.raw`-?\d+`;
/** A member whose value has no members, and what follows it. */
const MEMBER = new RegExp(String.raw`\s*(${STRING})\s*:\s*(${STRING}|${INTEGER}|null|true|false)\s*(?=[,}])`, "y");
/** A member whose value has members. */
const NESTED = new RegExp(String.raw`\s*(${STRING})\s*:\s*[{[]`, "y");
const TOKEN = new RegExp(`${STRING}|[{}[\\]]`, "g");
/** The id as the last member, but perhaps for the version. */
const LAST_ID = new RegExp(
  String.raw`,\s*"id"\s*:\s*(${STRING}|${INTEGER})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$`,
);

/**
 * The id of a request of which only the two ends are there. Clients write it first or last, and `method` before `params`; where that cannot be seen, and in all that
 * is no request, there is none: an answer with an id that was not asked for would be taken for that to another request.
 *
 * @param head its first {@link HEAD_CHARACTERS}
 * @param tail the end of the line; absent while it has not come
 */
export function cutRequestId(head: string, tail?: string): RequestId | undefined {
  const members = firstMembers(head);
  if (typeof members.get("method") !== "string" || members.has("result") || members.has("error")) return undefined;
  if (members.has("id")) return asId(members.get("id"));
  const last = tail === undefined ? undefined : LAST_ID.exec(tail)?.[1];
  return asId(parsed(last));
}

/** The members of the object that `text` begins, as far as they are there; of one that has members itself only the name. */
function firstMembers(text: string): ReadonlyMap<unknown, unknown> {
  const members = new Map<unknown, unknown>();
  let at = /^\s*\{/.exec(text)?.[0].length;
  while (at !== undefined) {
    const end: number | undefined = takeMember(text, at, members);
    at = end !== undefined && text[end] === "," ? end + 1 : undefined;
  }
  return members;
}

/** @returns where it ends; absent when its end is not there */
function takeMember(text: string, start: number, members: Map<unknown, unknown>): number | undefined {
  MEMBER.lastIndex = start;
  const plain = MEMBER.exec(text);
  if (plain !== null) {
    members.set(parsed(plain[1]), parsed(plain[2]));
    return MEMBER.lastIndex;
  }
  NESTED.lastIndex = start;
  const nested = NESTED.exec(text);
  if (nested === null) return undefined;
  members.set(parsed(nested[1]), undefined);
  return endOfNested(text, NESTED.lastIndex);
}

function endOfNested(text: string, start: number): number | undefined {
  TOKEN.lastIndex = start;
  for (let depth = 1; depth > 0;) {
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return undefined;
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
  }
  return TOKEN.lastIndex;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const asId = (value: unknown): RequestId | undefined =>
  typeof value === "string" || (typeof value === "number" && Number.isSafeInteger(value)) ? value : undefined;
