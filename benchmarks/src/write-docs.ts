import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseResults } from "./published-results.js";
import { fillBlocks } from "./result-blocks.js";

/**
 * Puts the results of `resultsFolder` in their places in the documents of `docsFolder`; see {@link fillBlocks}. Writes none of them when one asks for what was not
 * measured.
 *
 * @returns the documents that are others now
 */
export async function writeDocs(docsFolder: string, resultsFolder: string): Promise<readonly string[]> {
  const results = parseResults(await readFile(path.join(resultsFolder, "benchmark-results.json"), "utf8"));
  const names = (await readdir(docsFolder)).filter((name) => name.endsWith(".md")).toSorted();
  const documents = await Promise.all(
    names.map(async (name) => {
      const file = path.join(docsFolder, name);
      const before = await readFile(file, "utf8");
      return { file, before, after: fillBlocks(before, results) };
    }),
  );
  const changed = documents.filter(({ before, after }) => before !== after);
  for (const { file, after } of changed) await writeFile(file, after);
  return changed.map(({ file }) => file);
}
