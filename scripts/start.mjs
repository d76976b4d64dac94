// `pnpm start`: builds with something to look at, then becomes the example gateway. It is imported, not spawned: Ctrl-C
// reaches it and no second process has to be told.
import path from "node:path";
import { pathToFileURL } from "node:url";
import { followNpx } from "./follow-npx.mjs";
import { build, bundle, root } from "./workspace.mjs";

followNpx();
const startedAt = performance.now();
process.stderr.write("Building cortex-mcp … ");
// The example is a program of the checkout and runs from `dist`. The bundle is for what its announcement and the README
// tell people to do next.
const code = (await build(["apps/cortex-mcp", "examples/fixture-server"])) || (await bundle());
if (code !== 0) process.exit(code);
process.stderr.write(`done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);

const main = path.join(root, "apps/cortex-mcp/dist/example-main.js");
process.env["CORTEX_HOME"] ||= path.join(root, ".cortex");
process.argv = [process.execPath, main, ...process.argv.slice(2).filter((arg) => arg !== "--")];
await import(pathToFileURL(main).href);
