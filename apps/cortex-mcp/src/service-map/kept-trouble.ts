import { readFile } from "node:fs/promises";

/**
 * Why what is kept of a service map was not used although there is something: a command has no log, and must not say that nothing was ever fetched.
 *
 * @returns words for a person; `undefined` when nothing is kept
 */
export async function keptTrouble(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return undefined;
  }
  return isJson(text)
    ? "what is kept of the service map is signed with a key that is not valid any more, or is another publisher's, and is dropped"
    : "what is kept of the service map is damaged, and dropped";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
