import { once } from "node:events";
import { createServer, request } from "node:http";
import { onTestFinished } from "vitest";

/** An address that stays while what answers behind it changes, as a reverse proxy's does. */
export interface SwitchedFront {
  readonly origin: string;
  /** The next requests go there. */
  lead(origin: string): void;
}

/** Passes GET requests on, each over a connection of its own, until the test is over. */
export async function switchedFront(): Promise<SwitchedFront> {
  let target = "";
  const server = createServer(({ url = "/", headers }, response) => {
    request(new URL(url, target), { headers: { ...headers, connection: "close" }, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: "keep-alive" });
      answer.pipe(response);
    })
      .on("error", () => response.writeHead(502).end())
      .end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    lead: (origin) => {
      target = origin;
    },
  };
}
