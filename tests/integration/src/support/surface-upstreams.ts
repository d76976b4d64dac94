import { startFixtureHttp, startFixtureSse, stdioMainPath } from "@cortex-os/fixture-server";
import type { RunningUpstream } from "./upstreams.js";

type Era = "modern" | "legacy";

/** The five kinds of upstream of the matrix, by name; each names itself in its resources' URIs. */
export const SURFACE_UPSTREAMS: Readonly<Record<string, () => Promise<RunningUpstream>>> = {
  "modern-http": async () => overHttp("modern-http", "modern"),
  "legacy-http": async () => overHttp("legacy-http", "legacy"),
  "http-sse": async () => {
    const server = await startFixtureSse({ name: "http-sse" });
    // As a person would type it: which of the two transports it is the gateway finds out.
    return { entry: { name: "http-sse", endpoint: server.url }, close: async () => server.close() };
  },
  "modern-stdio": async () => overStdio("modern-stdio", "modern"),
  "legacy-stdio": async () => overStdio("legacy-stdio", "legacy"),
};

async function overHttp(name: string, era: Era): Promise<RunningUpstream> {
  const server = await startFixtureHttp({ name, era });
  return { entry: { name, endpoint: server.url }, close: async () => server.close() };
}

async function overStdio(name: string, era: Era): Promise<RunningUpstream> {
  const args = [stdioMainPath, "--era", era, "--name", name];
  return { entry: { name, command: process.execPath, args }, close: async () => {} };
}
