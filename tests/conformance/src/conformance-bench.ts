import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { httpMainPath, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import type { Check } from "./checks.js";
import { runServerSuite } from "./run-server-suite.js";
import { startServing, type ServingProcess } from "./serving-process.js";
import type { SuiteRun } from "./suite-runs.js";

/** How the suite gets to the fixture: directly, or through the gateway with the HTTP fixture or its stdio twin behind, each at its own address. */
export type Way = "direct" | "http" | "stdio";

/** `merged` is the HTTP fixture at `/mcp`, as the only connector of a gateway that prefixes only what would collide. */
export type AnyWay = Way | "merged";

/** The fixture, a gateway in front of it, and the suite. */
export interface ConformanceBench {
  /** Every check of one run on one way. Servers are started when they are first needed, and kept. */
  readonly measure: (run: SuiteRun, way: AnyWay) => Promise<readonly Check[]>;
  /** Stops every server. */
  readonly close: () => Promise<void>;
}

const LOOK_EVERY_MS = 50;
const UP_WITHIN_MS = 60_000;
const GATEWAY = fileURLToPath(import.meta.resolve("cortex-mcp/bundle/main.js"));

/**
 * An upstream over stdio has no stream to end: that a client polls (SEP-1699) is the gateway's doing then, and off unless it is asked for. More than half of the
 * second for which the fixture's tool works: the connection of the call is ended, the one with which the client comes back lasts until the answer.
 */
const POLLED = { CORTEX_MCP_STREAMS_MAX_CONNECTION_MS: "700" };
const SETTINGS: Readonly<Record<Exclude<AnyWay, "direct">, Readonly<Record<string, string>>>> = {
  http: {},
  stdio: POLLED,
  merged: { CORTEX_MCP_NAMES_PREFIX: "auto" },
};

/** Makes a bench that runs the suite with the Node at `node`. */
export function openBench(node: string): ConformanceBench {
  const started = new Map<string, Promise<ServingProcess>>();
  const homes: string[] = [];
  const once = async (name: string, start: () => Promise<ServingProcess>): Promise<ServingProcess> => {
    const running = started.get(name) ?? start();
    started.set(name, running);
    return running;
  };
  const fixture = async (era: string): Promise<ServingProcess> =>
    once(`fixture ${era}`, async () => startServing([httpMainPath, ...fixtureFlags(era)], tmpdir()));
  const gateway = async (era: string, way: Exclude<AnyWay, "direct">): Promise<ServingProcess> =>
    once(`gateway ${era} ${way}`, async () => {
      const home = await mkdtemp(path.join(tmpdir(), "cortex-conformance-"));
      homes.push(home);
      const server: ServerInfo =
        way === "stdio"
          ? { name: way, command: process.execPath, args: [stdioMainPath, ...fixtureFlags(era)] }
          : { name: way, transport: "http", endpoint: (await fixture(era)).url };
      await mkdir(path.join(home, "mcp"));
      await writeFile(path.join(home, "mcp", "servers.json"), JSON.stringify({ servers: [server] }));
      const env = { CORTEX_HOME: home, ...SETTINGS[way] };
      const serving = await startServing([GATEWAY, "serve", "--port", "0"], home, env);
      await untilUp(serving.url, server.name);
      return serving;
    });
  const addressOf = async ({ era }: SuiteRun, way: AnyWay): Promise<string> => {
    if (way === "direct") return (await fixture(era)).url;
    const { url } = await gateway(era, way);
    return way === "merged" ? url : `${url}/-/${way}`;
  };
  return {
    measure: async (run, way) => runServerSuite(node, run, onLocalhost(await addressOf(run, way))),
    close: async () => {
      // What is in front first: an upstream that goes earlier is a failure to report.
      for (const [, starting] of [...started].toSorted(([one], [other]) => other.localeCompare(one))) {
        const serving = await starting.catch(() => undefined);
        await serving?.stop();
      }
      for (const home of homes) await rm(home, { recursive: true, force: true });
    },
  };
}

const fixtureFlags = (era: string): readonly string[] => ["--conformance", "--era", era];

/** Waits until the gateway has the server: what the suite measures is not how it starts. */
async function untilUp(url: string, name: string): Promise<void> {
  const givenUpAt = performance.now() + UP_WITHIN_MS;
  const metrics = async (): Promise<string> => (await fetch(new URL("/metrics", url))).text();
  while (!(await metrics()).includes(`brainwav_mcp_connector_proxy_up{connector="${name}"} 1`)) {
    if (performance.now() > givenUpAt) throw new Error(`the gateway has no ${name} after ${UP_WITHIN_MS} ms`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** The suite asks for a server on `localhost`: its scenario about DNS rebinding expects that name to be a good one. */
function onLocalhost(url: string): string {
  const local = new URL(url);
  local.hostname = "localhost";
  return local.href;
}
