import { MAX_JSON_DEPTH } from "@cortex-os/mcp-core/wire";
import { JsonScan, type JsonProblem } from "./json-scan.js";
import { MAX_JSON_NODES } from "./limits.js";
import { placeOf, quotedName, shortened } from "./place.js";

/** What {@link parseStrictJson} makes of a text. */
export type StrictJson = { readonly ok: true; readonly value: unknown } | StrictJsonRefusal;

/** Why a text is not read. */
export interface StrictJsonRefusal {
  readonly ok: false;
  readonly rule: "json" | "size";
  /** Where, as a position: nothing of the text is in it. */
  readonly reason: string;
  /** Where, in the names of the text: for whoever may see them. At most 200 characters, without control characters. */
  readonly detail?: string;
}

/**
 * Reads JSON that means the same to every reader (I-JSON, RFC 7493).
 *
 * Refused besides what is no JSON: a member name that occurs twice in one object, also when it is escaped differently (readers disagree
 * about which one counts, and a signature covers only the one we keep); more than {@link MAX_JSON_DEPTH} levels; half of a surrogate pair; a
 * member called `__proto__`, which many a reader in JavaScript loses or takes for something else (zod does not even validate it); a number that a
 * double cannot carry as it is written (see `survivesReading`); more than {@link MAX_JSON_NODES} values and names, by the rule `size`.
 */
export function parseStrictJson(text: string): StrictJson {
  // Before `JSON.parse`, which would build half a million arrays before anybody counts them.
  const problem = new JsonScan(text).run();
  if (problem?.kind === "nodes" || problem?.kind === "depth") return refusal(text, problem);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, rule: "json", reason: `is not JSON${hintOf(text, error)}` };
  }
  return problem === undefined ? { ok: true, value } : refusal(text, problem);
}

/** The end of those messages of V8 that do not quote the text. */
const POSITION = / JSON at position (\d+)(?: \(line \d+ column \d+\))?$/;

/** Never the engine's own message: it quotes the text, which may hold a key. */
function hintOf(text: string, error: unknown): string {
  if (text.trim() === "") return ": it is empty";
  if (text.trimStart().startsWith("<")) return ': it begins with "<", as an HTML page does';
  const position = error instanceof Error ? POSITION.exec(error.message)?.[1] : undefined;
  return position === undefined ? "" : ` (${byteOf(text, Number(position))})`;
}

const WHAT = {
  nodes: `holds more than ${MAX_JSON_NODES} values and names`,
  depth: `nests deeper than ${MAX_JSON_DEPTH} levels`,
  duplicate: "an object holds one name twice",
  "lost-name": "an object holds a member called __proto__",
  surrogate: "a text holds half of a surrogate pair",
  "surrogate-in-name": "a name holds half of a surrogate pair",
  number: "a number that a double cannot carry as it is written",
} as const satisfies Record<JsonProblem["kind"], string>;

function refusal(text: string, { kind, at, place, name }: JsonProblem): StrictJsonRefusal {
  const reason = WHAT[kind];
  if (kind === "nodes") return { ok: false, rule: "size", reason };
  const where = placeOf(place);
  const detail = shortened(name === undefined ? where : `${quotedName(name)} in ${where}`);
  return { ok: false, rule: "json", reason: `${reason} (${byteOf(text, at)})`, detail };
}

/** Why our own file is not read: its owner may see the names in it. */
export const withDetail = ({ reason, detail }: StrictJsonRefusal): string =>
  detail === undefined ? reason : `${reason}: ${detail}`;

/** @param index into the text, in UTF-16 code units */
const byteOf = (text: string, index: number): string => `byte ${Buffer.byteLength(text.slice(0, index))}`;
