import { bareStdioProxy } from "./bare-stdio-proxy.js";

/** {@link bareStdioProxy} as a process. Usage: node bare-stdio-proxy-main.js PROGRAM. Prints the URL it serves. */
const server = bareStdioProxy(process.argv[2] ?? "");
process.once("SIGTERM", () => {
  server.close().closeAllConnections();
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) {
    process.stdout.write(`http://127.0.0.1:${address.port}/mcp\n`);
  }
});
