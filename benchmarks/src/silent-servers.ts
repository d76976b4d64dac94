import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** Where nobody answers. */
export interface SilentServers {
  /** Takes every connection and never says a word. */
  readonly hanging: string;
  /** Refuses every connection. */
  readonly dead: string;
}

/** Does `work` beside a server that hangs and one that is dead. */
export async function withSilentServers<T>(work: (servers: SilentServers) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  const hanging = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  const dead = createServer();
  const [hangingUrl, deadUrl] = [await urlOf(hanging), await urlOf(dead)];
  dead.close();
  try {
    return await work({ hanging: hangingUrl, dead: deadUrl });
  } finally {
    hanging.close();
    for (const socket of sockets) socket.destroy();
  }
}

async function urlOf(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}/mcp`;
}
