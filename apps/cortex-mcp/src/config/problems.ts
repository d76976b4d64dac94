import type { z } from "zod";
import { didYouMean } from "../suggest.js";
import { knownKeys } from "./settings.js";

/** What is wrong with a configuration, one phrase a problem, each naming the key and, for a key that is none, the likely one. */
export function configProblems(error: z.ZodError): readonly string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [`${dotted(issue.path)}: ${issue.message}`];
    return issue.keys.map(
      (key) => `unknown key ${JSON.stringify(dotted([...issue.path, key]))}${didYouMean(key, knownKeys(issue.path))}`,
    );
  });
}

const dotted = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? "the whole file" : path.map(String).join(".");
