/** What a call must give. Everything that is said must hold; an empty one is a mistake of the table's. */
export interface Expected {
  /** All text of the result, one line feed between blocks, blank ends cut off. */
  readonly text?: string;
  /** Each of these is somewhere in the text. */
  readonly includes?: readonly string[];
  /** The structured content has all of this; objects may have more. */
  readonly structured?: unknown;
}

/** As much of a CallToolResult as is looked at, whichever SDK it comes from. */
export interface CallOutcome {
  readonly text: string;
  readonly isError: boolean;
  readonly structured: unknown;
}

const SHOWN_CHARACTERS = 200;

/** Why `outcome` is not what was expected, or nothing. A tool that says that it failed is never what was expected. */
export function mismatch(outcome: CallOutcome, { text, includes = [], structured }: Expected): string | undefined {
  const shown = outcome.text.slice(0, SHOWN_CHARACTERS);
  if (outcome.isError) return `the tool failed: ${shown}`;
  if (text !== undefined && outcome.text.trim() !== text) return `expected the text ${text}, got ${shown}`;
  const missing = includes.find((part) => !outcome.text.includes(part));
  if (missing !== undefined) return `expected ${missing} in the text, got ${shown}`;
  if (structured !== undefined && !holds(outcome.structured, structured)) {
    const got = (JSON.stringify(outcome.structured) ?? "nothing").slice(0, SHOWN_CHARACTERS);
    return `expected ${JSON.stringify(structured)} in the structured content, got ${got}`;
  }
  return undefined;
}

function holds(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual) || actual.length !== wanted.length) return false;
    const items: readonly unknown[] = actual;
    return wanted.every((item, at) => holds(items[at], item));
  }
  if (typeof wanted !== "object" || wanted === null) return Object.is(actual, wanted);
  if (typeof actual !== "object" || actual === null) return false;
  const fields = new Map<string, unknown>(Object.entries(actual));
  return Object.entries(wanted).every(([name, value]) => holds(fields.get(name), value));
}
