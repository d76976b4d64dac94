import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.js";
import { cacheFolder } from "./program-paths.js";
import type { Endpoint, Place, Subject } from "./subject.js";

/**
 * Gateways of others, from npm, in just these versions. They are no dependencies of the workspace, but are installed beside the benchmark when it is run whole: hundreds of
 * packages that nobody needs who does not run it.
 */
const VERSIONS = { "mcp-proxy": "6.7.19", supergateway: "4.0.0" } as const;

type Peer = keyof typeof VERSIONS;

const run = promisify(execFile);

const peer = (
  name: Peer,
  program: string,
  of: Pick<Subject, "does" | "upstreams" | "eras">,
  startOf: (place: Place, port: number) => readonly string[],
): Subject => ({
  name: `${name} ${VERSIONS[name]}`,
  ...of,
  isForeign: true,
  start: async (place): Promise<Endpoint> => {
    const folder = await installed(name);
    const port = await freePort();
    const args = startOf(place, port);
    const script = path.join(folder, "node_modules", name, program);
    const url = `http://127.0.0.1:${port}/mcp`;
    return { ...(await place.servers.startAt(url, process.execPath, [script, ...args])), prefix: "" };
  },
});

/** All of them. */
export const PEERS: readonly Subject[] = [
  peer(
    "mcp-proxy",
    "dist/bin/mcp-proxy.mjs",
    {
      does: "one child behind streamable HTTP; built on the official SDK; no policy, names unchanged; run without its event store",
      upstreams: ["stdio"],
      // Its child must speak the legacy era, whatever the client speaks.
      eras: ["legacy"],
    },
    ({ upstream }, port) => [
      ...["--host", "127.0.0.1", "--port", String(port), "--no-eventStore", "--"],
      ...commandOf(upstream),
    ],
  ),
  peer(
    "supergateway",
    "dist/index.js",
    {
      does: "one command behind streamable HTTP; built on the official SDK; no policy, names unchanged; with sessions in the legacy era, each of which has a child of its own",
      upstreams: ["stdio"],
      eras: ["modern", "legacy"],
    },
    ({ upstream, era }, port) => [
      ...["--stdio", commandOf(upstream).join(" "), "--outputTransport", "streamableHttp"],
      ...["--port", String(port), "--logLevel", "none", ...(era === "legacy" ? ["--stateful"] : [])],
    ],
  ),
];

const commandOf = (upstream: Place["upstream"]): readonly string[] =>
  upstream.kind === "stdio" ? [process.execPath, ...upstream.args] : [];

/** The folder it is installed in. @throws Error when it cannot be installed */
async function installed(name: Peer): Promise<string> {
  const folder = path.join(cacheFolder, "bench-peers", `${name}-${VERSIONS[name]}`);
  if (existsSync(path.join(folder, "node_modules", name, "package.json"))) return folder;
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "package.json"), '{"private":true}\n');
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `${name}@${VERSIONS[name]}`];
  await run("npm", args, { cwd: folder });
  return folder;
}
