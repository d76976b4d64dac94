import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A poor line: connections go through it until it cuts them. */
export interface CuttingProxy {
  /** The address of what is behind it, by way of it. */
  readonly url: string;
  /** What clients sent through it so far, as text. */
  readonly sent: string;
  /** Breaks every connection that is open; new ones go through. */
  cut(): void;
}

/** Puts such a line in front of what is served at `url`, until the test is over. */
export async function cuttingProxy(url: string): Promise<CuttingProxy> {
  const behind = new URL(url);
  const open = new Set<Socket>();
  let sent = "";
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  const server = createServer((client) => {
    const served = connect(Number(behind.port), behind.hostname);
    for (const [socket, other] of [
      [client, served],
      [served, client],
    ] as const) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
    client.on("data", (bytes) => (sent += bytes.toString("latin1")));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    cut();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return {
    url: `http://127.0.0.1:${address.port}${behind.pathname}`,
    get sent() {
      return sent;
    },
    cut,
  };
}
