import { once } from "node:events";
import { createServer } from "node:net";

/** A port of loopback on which nothing listens, for programs that cannot choose one themselves. Somebody else may take it first. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const closed = once(server, "close");
  server.close();
  await closed;
  if (typeof address !== "object" || address === null) throw new Error("no port to listen on");
  return address.port;
}
