import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PRODUCT, targetAt, type Target } from "../target.js";
import type { Mutant, MutantEdit } from "./mutants.js";

/**
 * Makes the mutant, a copy of the compiled registry, and gives it to `use`; it is gone afterwards.
 *
 * @throws Error when the code to change is not there exactly once: then the mutant has to be written anew
 */
export async function withMutant<T>({ name, edits }: Mutant, use: (target: Target) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "cortex-registry-mutant-"));
  const dist = path.dirname(fileURLToPath(PRODUCT.entry));
  const original = path.dirname(dist);
  try {
    cpSync(dist, path.join(folder, "dist"), { recursive: true, filter: (file) => !file.endsWith(".map") });
    forgetSourceMaps(path.join(folder, "dist"));
    cpSync(path.join(original, "package.json"), path.join(folder, "package.json"));
    symlinkSync(path.join(original, "node_modules"), path.join(folder, "node_modules"));
    for (const edit of edits) change(path.join(folder, "dist", edit.file), edit, name);
    return await use(await targetAt(pathToFileURL(path.join(folder, "dist", "index.js")).href));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Their sources are elsewhere, and vitest says so for each file. */
function forgetSourceMaps(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".js")) continue;
    const file = path.join(folder, name);
    writeFileSync(file, readFileSync(file, "utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
  }
}

function change(file: string, { find, replace }: MutantEdit, mutant: string): void {
  const parts = readFileSync(file, "utf8").split(find);
  if (parts.length !== 2) {
    throw new Error(`the mutant "${mutant}" looks for ${find} in ${file}, which is there ${parts.length - 1} times`);
  }
  writeFileSync(file, parts.join(replace));
}
