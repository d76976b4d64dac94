import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";

/** An upstream server that runs, or that the gateway will start. */
export interface RunningUpstream {
  readonly entry: ServerInfo;
  close(): Promise<void>;
}

/** Tools and arguments with which each kind of upstream shows the same four things. */
export interface UpstreamKind {
  start(): Promise<RunningUpstream>;
  /** Its name in the registry. */
  readonly name: string;
  readonly echo: { readonly tool: string; readonly args: Record<string, unknown>; readonly expected: string };
  readonly slow: { readonly tool: string; readonly args: Record<string, unknown>; readonly steps: number };
  /** Whether it counts what became of its calls, by a tool named `cancelled`. */
  readonly counts: boolean;
  /** A call that takes long enough to be cancelled, and reports progress meanwhile when it does not count. */
  readonly endless: { readonly tool: string; readonly args: Record<string, unknown> };
}

const fixtureTools = {
  counts: true,
  echo: { tool: "echo", args: { message: "through the gateway" }, expected: "through the gateway" },
  slow: { tool: "slow", args: { ms: 200, steps: 4 }, steps: 4 },
  endless: { tool: "slow", args: { ms: 600_000, steps: 1 } },
};

/** The names of `@modelcontextprotocol/server-everything`, a published server of the legacy era. */
const everythingTools = {
  counts: false,
  echo: { tool: "echo", args: { message: "through the gateway" }, expected: "Echo: through the gateway" },
  slow: { tool: "trigger-long-running-operation", args: { duration: 0.2, steps: 4 }, steps: 4 },
  endless: { tool: "trigger-long-running-operation", args: { duration: 600, steps: 6_000 } },
};

/** The four kinds of upstream of the matrix, and the published server over both transports. */
export const UPSTREAM_KINDS: Readonly<Record<string, UpstreamKind>> = {
  "modern HTTP": { name: "modern-http", ...fixtureTools, start: async () => fixtureHttp("modern-http", "modern") },
  "legacy HTTP": { name: "legacy-http", ...fixtureTools, start: async () => fixtureHttp("legacy-http", "legacy") },
  "modern stdio": { name: "modern-stdio", ...fixtureTools, start: async () => fixtureStdio("modern-stdio", "modern") },
  "legacy stdio": { name: "legacy-stdio", ...fixtureTools, start: async () => fixtureStdio("legacy-stdio", "legacy") },
  "server-everything, HTTP": { name: "everything-http", ...everythingTools, start: everythingHttp },
  "server-everything, stdio": {
    name: "everything-stdio",
    ...everythingTools,
    start: async () => ({
      entry: { name: "everything-stdio", command: process.execPath, args: [everythingMain(), "stdio"] },
      close: async () => {},
    }),
  },
};

async function fixtureHttp(name: string, era: "modern" | "legacy"): Promise<RunningUpstream> {
  const server = await startFixtureHttp({ era });
  return { entry: { name, transport: "http", endpoint: server.url }, close: async () => server.close() };
}

async function fixtureStdio(name: string, era: "modern" | "legacy"): Promise<RunningUpstream> {
  return { entry: { name, command: process.execPath, args: [stdioMainPath, "--era", era] }, close: async () => {} };
}

async function everythingHttp(): Promise<RunningUpstream> {
  const port = await freePort();
  const child = spawn(process.execPath, [everythingMain(), "streamableHttp"], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  await untilItSays(child, "listening");
  return {
    entry: { name: "everything-http", transport: "http", endpoint: `http://127.0.0.1:${port}/mcp` },
    close: async () => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

function everythingMain(): string {
  const { resolve } = createRequire(import.meta.url);
  const manifest = resolve("@modelcontextprotocol/server-everything/package.json");
  return join(dirname(manifest), "dist", "index.js");
}

async function untilItSays({ stderr }: ChildProcess, words: string): Promise<void> {
  if (stderr === null) throw new Error("no stderr to read");
  let said = "";
  for await (const chunk of stderr.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes(words)) {
      stderr.resume();
      return;
    }
  }
  throw new Error(`ended before it said "${words}": ${said}`);
}

/** A port that was free a moment ago: for servers that cannot be told to take any and say which. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
