import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { httpMainPath, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import type { Check } from "./checks.js";
import { runServerSuite } from "./run-server-suite.js";
import { startServing, type ServingProcess } from "./serving-process.js";
import type { SuiteRun } from "./suite-runs.js";

/** How the suite gets to the fixture: directly, or through the gateway with the HTTP fixture or its stdio twin behind. */
export type Way = "direct" | "http" | "stdio";

/** The fixture, a gateway in front of it, and the suite. */
export interface ConformanceBench {
  /** Every check of one run on one way. Servers are started when they are first needed, and kept. */
  readonly measure: (run: SuiteRun, way: Way) => Promise<readonly Check[]>;
  /** Stops every server. */
  readonly close: () => Promise<void>;
}

const GATEWAY = fileURLToPath(import.meta.resolve("cortex-mcp/dist/main.js"));

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
  const gateway = async (era: string, way: Way): Promise<ServingProcess> =>
    once(`gateway ${era} ${way}`, async () => {
      const home = await mkdtemp(path.join(tmpdir(), "cortex-conformance-"));
      homes.push(home);
      const entry: ServerInfo =
        way === "http"
          ? { name: "http", transport: "http", endpoint: (await fixture(era)).url }
          : { name: "stdio", command: process.execPath, args: [stdioMainPath, ...fixtureFlags(era)] };
      await mkdir(path.join(home, "mcp"));
      await writeFile(path.join(home, "mcp", "servers.json"), JSON.stringify({ servers: [entry] }));
      return startServing([GATEWAY, "serve", "--port", "0"], home, {
        CORTEX_HOME: home,
        CORTEX_MCP_NAMES_PREFIX: "never",
      });
    });
  return {
    measure: async (run, way) => {
      const { url } = await (way === "direct" ? fixture(run.era) : gateway(run.era, way));
      return runServerSuite(node, run, onLocalhost(url));
    },
    close: async () => {
      for (const [name, starting] of started) {
        if (name.startsWith("gateway")) await (await starting).stop();
      }
      for (const starting of started.values()) await (await starting).stop();
      for (const home of homes) await rm(home, { recursive: true, force: true });
    },
  };
}

const fixtureFlags = (era: string): readonly string[] => ["--conformance", "--era", era];

/** The suite asks for a server on `localhost`: its scenario about DNS rebinding expects that name to be a good one. */
function onLocalhost(url: string): string {
  const local = new URL(url);
  local.hostname = "localhost";
  return local.href;
}
