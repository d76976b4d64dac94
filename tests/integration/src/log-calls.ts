import { readText } from "./workspace-files.js";

/** One place where a line is logged. */
export interface LogCall {
  /** `file:line`. */
  readonly where: string;
  readonly level: string;
  /** The source text of the fields. Where a variable holds them, the text that it is set to in this file. */
  readonly fields: string;
  /** The source text of the message. */
  readonly message: string;
}

const CALL = /\b[lL]ogger\??\.(debug|info|warn|error)\(/g;

/** Every call of a logger in a file: found in the text, because no tool that we have reads the types of TypeScript 7. */
export function logCallsIn(file: string): readonly LogCall[] {
  const text = readText(file);
  return [...text.matchAll(CALL)].map((match) => {
    const [first = "", ...rest] = argumentsFrom(text, match.index + match[0].length);
    const line = text.slice(0, match.index).split("\n").length;
    return { where: `${file}:${line}`, level: match[1] ?? "", fields: resolved(first, text), message: rest.join(", ") };
  });
}

/** The text of each argument, from behind the opening bracket to its closing one. */
function argumentsFrom(text: string, start: number): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let from = start;
  let quote = "";
  for (let at = start; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (quote !== "") {
      if (character === "\\") at += 1;
      else if (character === quote) quote = "";
    } else if (`"'\``.includes(character)) quote = character;
    else if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character) && depth > 0) depth -= 1;
    else if (character === ")" || (character === "," && depth === 0)) {
      const argument = text.slice(from, at).trim();
      if (argument !== "") found.push(argument);
      from = at + 1;
      if (character === ")") break;
    }
  }
  return found;
}

/** What the variable of that name is set to; an object literal is what it is. */
function resolved(argument: string, text: string): string {
  if (!/^\w+$/.test(argument)) return argument;
  const set = new RegExp(`\\b${argument} = (\\{[\\s\\S]*?\\});`).exec(text);
  return set?.[1] ?? argument;
}
