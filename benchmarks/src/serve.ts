import type { Server } from "node:http";

/** Starts to listen on loopback, prints the URL, and closes when the process is asked to end. */
export function serve(server: Server): void {
  process.once("SIGTERM", () => {
    server.close().closeAllConnections();
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object" && address !== null) process.stdout.write(`http://127.0.0.1:${address.port}/mcp\n`);
  });
}
