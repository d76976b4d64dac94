import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { freePort, type RunningUpstream } from "./running-upstream.js";

/** `@modelcontextprotocol/server-everything`, a published server of the legacy era that none of us wrote, over both its transports. */
export const EVERYTHING_SERVERS: Readonly<Record<string, () => Promise<RunningUpstream>>> = {
  http: overHttp,
  stdio: async () => ({
    entry: { name: "everything", command: process.execPath, args: [everythingMain(), "stdio"] },
    close: async () => {},
  }),
};

async function overHttp(): Promise<RunningUpstream> {
  const port = await freePort();
  const child = spawn(process.execPath, [everythingMain(), "streamableHttp"], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  await untilItSays(child, "listening");
  return {
    entry: { name: "everything", transport: "http", endpoint: `http://127.0.0.1:${port}/mcp` },
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
