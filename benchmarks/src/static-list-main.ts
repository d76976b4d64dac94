import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

/**
 * The yardstick for lists: the same HTTP server, which answers every POST with the bytes of one file, read once. Usage: node static-list-main.js FILE. Prints the URL it serves.
 */
const body = await readFile(process.argv[2] ?? "");
const headers = { "content-type": "application/json", "content-length": body.length };

const server = createServer((request, response) => {
  request.resume().once("end", () => {
    response.writeHead(200, headers).end(body);
  });
});
process.once("SIGTERM", () => {
  server.close().closeAllConnections();
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) process.stdout.write(`http://127.0.0.1:${address.port}/mcp\n`);
});
