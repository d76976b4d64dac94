// Builds what the tests of the current folder need, then runs its vitest project (at the root: all of them).
// `test -- NAME` filters by file name: vitest by itself ignores what stands after `--`, so it is passed on without (R20).
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { build, runNode, toolPath } from "./workspace.mjs";

/**
 * The projects to build before the tests of a folder can run: what `tsconfig.test.json` refers to. Whether the tests
 * themselves have the right types is `pnpm check`'s question.
 *
 * @param {string} folder
 */
function projectsFor(folder) {
  const file = path.join(folder, "tsconfig.test.json");
  if (!existsSync(file)) return [folder];
  /** @type {{ references: { path: string }[] }} */
  const { references } = JSON.parse(readFileSync(file, "utf8"));
  return references.map((reference) => path.join(folder, reference.path));
}

const folder = process.cwd();
const code = await build(projectsFor(folder));
if (code !== 0) process.exit(code);
const args = process.argv.slice(2).filter((arg) => arg !== "--");
process.exit(await runNode(toolPath("vitest"), ["run", ...args], { cwd: folder }));
