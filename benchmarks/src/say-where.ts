import type { Server } from "node:http";

/** Listens on a free port of this machine and prints the URL. */
export function sayWhere(server: Server): void {
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object" && address !== null) process.stdout.write(`http://127.0.0.1:${address.port}/\n`);
  });
}
