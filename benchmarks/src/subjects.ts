import path from "node:path";
import { makeGatewayHome } from "./gateway-home.js";
import { startNginx } from "./nginx.js";
import { PEERS } from "./peers.js";
import { appPath, bareProxyPath, bareStdioProxyPath, sdkGatewayPath } from "./program-paths.js";
import type { Endpoint, Place, Subject } from "./subject.js";
import { ROAD } from "./way-names.js";

const BOTH_ERAS = ["modern", "legacy"] as const;
const EVERY_UPSTREAM = ["http", "stdio"] as const;

/** What is measured, in the order in which it is told. */
export const SUBJECTS: readonly Subject[] = [
  {
    name: ROAD.direct,
    does: "nothing stands in between: what the load and the upstream cost by themselves",
    ...{ isForeign: false, upstreams: ["http"], eras: BOTH_ERAS },
    start: async ({ upstream }) => {
      if (upstream.kind !== "http") throw new Error("nothing can be called directly over stdio");
      return { url: upstream.url, prefix: "" };
    },
  },
  {
    name: ROAD.bareProxy,
    does: "the yardstick: Node's HTTP server and undici's `dispatch`, or a child's pipes; passes bytes on and looks at nothing",
    ...{ isForeign: false, upstreams: EVERY_UPSTREAM, eras: BOTH_ERAS },
    start: async ({ servers, upstream }) => {
      const args = upstream.kind === "http" ? [bareProxyPath, upstream.url] : [bareStdioProxyPath, ...upstream.args];
      return { ...(await servers.start(args)), prefix: "" };
    },
  },
  {
    name: ROAD.nginx,
    does: "a proxy in C, one process, connections kept alive on both sides, no buffering; passes bytes on and looks at nothing",
    ...{ isForeign: true, upstreams: ["http"], eras: BOTH_ERAS },
    start: async ({ servers, upstream }) => {
      if (upstream.kind !== "http") throw new Error("nginx cannot speak with a child");
      return startNginx(servers, upstream.url);
    },
  },
  {
    name: ROAD.sdkGateway,
    does: "the reference: the official SDK's server in front and its client behind, `tools/call` passed on, everything validated as shipped; no policy, one upstream",
    ...{ isForeign: false, upstreams: ["http"], eras: BOTH_ERAS },
    start: async ({ servers, upstream, era }) => {
      if (upstream.kind !== "http") throw new Error("the reference gateway is written for HTTP");
      return { ...(await servers.start([sdkGatewayPath, era, upstream.url])), prefix: "" };
    },
  },
  {
    name: ROAD.gateway,
    does: "with everything on that is on by default: header checks, policy, limits, names with a prefix, breaker, metrics, logs",
    ...{ isForeign: false, upstreams: EVERY_UPSTREAM, eras: BOTH_ERAS },
    start: startGateway,
  },
  ...PEERS,
];

async function startGateway({ servers, upstream }: Place): Promise<Endpoint> {
  const name = "upstream";
  const home = path.join(servers.folder, "gateway");
  const entry =
    upstream.kind === "http"
      ? { name, transport: "http", endpoint: upstream.url }
      : { name, transport: "stdio", command: process.execPath, args: upstream.args };
  await makeGatewayHome(home, [entry]);
  const { url, pid } = await servers.start([appPath, "serve", "--port", "0"], { CORTEX_HOME: home });
  return { url, pid, prefix: `${name}__` };
}
