import { homedir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { checkServers } from "./check-servers.js";
import { installServers } from "./install-servers.js";
import { PUBLISHED_SERVERS } from "./published-servers.js";
import { problemsOf, renderReport } from "./report.js";

/**
 * Usage: pnpm --filter @cortex-os/published-servers start [--cache FOLDER] [--only NAME]…
 * Prints the table on stdout, what it is doing on stderr. Exits 1 when a cell failed, the gateway did not stop with 0, or a process was left.
 */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== "--"),
  options: {
    cache: {
      type: "string",
      default: path.join(
        process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"),
        "cortex-mcp-published-servers",
      ),
    },
    only: { type: "string", multiple: true, default: [] },
  },
});

const unknown = values.only.filter((name) => !PUBLISHED_SERVERS.some((server) => server.name === name));
if (unknown.length > 0) throw new Error(`no server is named ${unknown.join()}`);
const servers = PUBLISHED_SERVERS.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
const cache = path.resolve(values.cache);

await installServers(servers, cache, (server) => {
  process.stderr.write(`installed ${server.package}@${server.version}\n`);
});
process.stderr.write(`${servers.length} servers are in ${cache}; starting the gateway\n`);
const { rows, processes, left, exitCode } = await checkServers(servers, cache);
process.stdout.write(`${renderReport(rows)}\n`);
process.stdout.write(`The gateway left with ${exitCode}; of ${processes} processes, ${left.length} outlived it.\n`);
for (const command of left) process.stdout.write(`- left: ${command}\n`);
process.exitCode = problemsOf(rows).length === 0 && left.length === 0 && exitCode === 0 ? 0 : 1;
