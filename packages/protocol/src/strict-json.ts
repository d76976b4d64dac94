import { MAX_JSON_DEPTH } from "@cortex-os/mcp-core/wire";
import { placeOf, quotedName, type Place } from "./place.js";
import { survivesReading } from "./strict-number.js";

/** What {@link parseStrictJson} makes of a text. */
export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads JSON that means the same to every reader (I-JSON, RFC 7493).
 *
 * Refused besides what is no JSON: a member name that occurs twice in one object, also when it is escaped differently (readers disagree
 * about which one counts, and a signature covers only the one we keep); more than {@link MAX_JSON_DEPTH} levels; half of a surrogate pair; a
 * member called `__proto__`, which many a reader in JavaScript loses or takes for something else (zod does not even validate it); a number that a double cannot carry as it is written (see {@link survivesReading}). Reasons name the place and never quote a value.
 */
export function parseStrictJson(text: string): StrictJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, reason: `is not JSON${hintOf(text, error)}` };
  }
  const problem = findAmbiguity(text);
  return problem === undefined ? { ok: true, value } : { ok: false, reason: problem };
}

const POSITION = /at position \d+/;

/** Never the engine's own message: it quotes the text, which may hold a key. */
function hintOf(text: string, error: unknown): string {
  if (text.trim() === "") return ": it is empty";
  if (text.trimStart().startsWith("<")) return ': it begins with "<", as an HTML page does';
  const position = error instanceof Error ? POSITION.exec(error.message)?.[0] : undefined;
  return position === undefined ? "" : ` (${position})`;
}

/** An object or array that has begun. `names` is `undefined` for an array. */
interface Open {
  readonly names: Set<string> | undefined;
  /** The member or element that is being read. */
  step: string | number;
  /** Whether the next string is a member's name. */
  wantsName: boolean;
}

const LOST_NAME = "__proto__";
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** One pass over a text that `JSON.parse` has read, without recursion: a million brackets cost no stack. */
function findAmbiguity(text: string): string | undefined {
  const open: Open[] = [];
  const place = (): Place => open.map((each) => each.step);
  for (let at = 0; at < text.length; at += 1) {
    const top = open.at(-1);
    switch (text[at]) {
      case "{":
        open.push({ names: new Set(), step: "", wantsName: true });
        break;
      case "[":
        open.push({ names: undefined, step: 0, wantsName: false });
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case ",":
        if (typeof top?.step === "number") top.step += 1;
        else if (top !== undefined) top.wantsName = true;
        break;
      case '"': {
        const end = endOfString(text, at + 1);
        const content = unescaped(text.slice(at + 1, end));
        at = end;
        if (top?.names === undefined || !top.wantsName) {
          if (!content.isWellFormed()) return `${placeOf(place())}: half of a surrogate pair`;
          break;
        }
        if (!content.isWellFormed()) return `${placeOf(place().slice(0, -1))}: a name holds half of a surrogate pair`;
        if (content === LOST_NAME) return `${placeOf(place().slice(0, -1))}: holds a member called ${LOST_NAME}`;
        if (top.names.has(content)) return `${placeOf(place().slice(0, -1))}: holds ${quotedName(content)} twice`;
        top.names.add(content);
        top.step = content;
        top.wantsName = false;
        break;
      }
      default: {
        NUMBER.lastIndex = at;
        const number = NUMBER.exec(text)?.[0];
        if (number === undefined) break;
        if (!survivesReading(number))
          return `${placeOf(place())}: a number that a double cannot carry as it is written`;
        at += number.length - 1;
      }
    }
    if (open.length > MAX_JSON_DEPTH) return `nests deeper than ${MAX_JSON_DEPTH} levels`;
  }
  return undefined;
}

/** @returns where the string that begins at `from` has its closing quote */
function endOfString(text: string, from: number): number {
  let at = from;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function unescaped(content: string): string {
  return content.includes("\\") ? String(JSON.parse(`"${content}"`)) : content;
}
