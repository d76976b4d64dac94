// `pnpm cortex-mcp …`: the command line from a checkout. Builds what is out of date, then becomes the command: stdout
// carries nothing but the command's own output.
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build, bundle, root } from "./workspace.mjs";

const code = (await build(["apps/cortex-mcp"])) || (await bundle());
if (code !== 0) process.exit(code);

const main = path.join(root, "apps/cortex-mcp/bundle/main.js");
process.env["CORTEX_HOME"] ||= path.join(root, ".cortex");
process.argv = [process.execPath, main, ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
