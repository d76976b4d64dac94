import type { z } from "zod";
import { didYouMean } from "../suggest.js";
import { knownKeys, valueText } from "./settings.js";

type Path = readonly PropertyKey[];

/** What the schema alone tells better than the validator's words do. */
const ABOUT_THE_VALUE: ReadonlySet<string> = new Set([
  ...["invalid_type", "invalid_value", "invalid_union", "too_small", "too_big"],
]);

/**
 * What is wrong with a configuration, one phrase a problem: the key, then what it must be and, for a key that is none, the likely one. Values are not
 * repeated.
 *
 * @param nameOf what a person calls the setting at a path. @default its keys with dots between
 */
export function configProblems(error: z.ZodError, nameOf: (path: Path) => string = dotted): readonly string[] {
  return error.issues.flatMap((issue) => {
    const { path, code, message } = issue;
    if (code === "unrecognized_keys") {
      return issue.keys.map(
        (key) => `unknown key ${JSON.stringify(dotted([...path, key]))}${didYouMean(key, knownKeys(path))}`,
      );
    }
    if (ABOUT_THE_VALUE.has(code)) return [`${nameOf(path)} must be ${valueText(path)}`];
    return [`${nameOf(path)}${message.startsWith("must ") ? "" : ":"} ${message}`];
  });
}

/** The keys of a path with dots between. */
export const dotted = (path: Path): string => (path.length === 0 ? "the whole file" : path.map(String).join("."));
