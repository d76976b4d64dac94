// Builds what the tests of the current folder need, then runs its vitest project (at the root: all of them).
// `test -- NAME` filters by file name: vitest by itself ignores what stands after `--`, so it is passed on without (R20).
import path from "node:path";
import { build, root, runNode, toolPath } from "./workspace.mjs";

const folder = process.cwd();
const code = await build([path.relative(root, folder) || "."]);
if (code !== 0) process.exit(code);
const args = process.argv.slice(2).filter((arg) => arg !== "--");
process.exit(await runNode(toolPath("vitest"), ["run", ...args], { cwd: folder }));
