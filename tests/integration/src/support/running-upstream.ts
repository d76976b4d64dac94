import { once } from "node:events";
import { createServer } from "node:net";
import type { ServerInfo } from "@cortex-os/mcp-core";

/** An upstream server that runs, or that the gateway will start. */
export interface RunningUpstream {
  readonly entry: ServerInfo;
  close(): Promise<void>;
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
