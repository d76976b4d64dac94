import { createServer, type ServerResponse } from "node:http";
import { Pool, type Dispatcher } from "undici";

/**
 * The yardstick: an HTTP proxy that does nothing but pass bytes on, with the same server and the same client as the gateway.
 * Usage: node bare-proxy-main.js UPSTREAM_URL. Prints the URL it serves.
 */
const upstream = new URL(process.argv[2] ?? "");
const pool = new Pool(upstream.origin, { connections: 128, pipelining: 1 });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { host: _host, connection: _connection, "content-length": _length, ...headers } = request.headers;
    const options: Dispatcher.DispatchOptions = {
      path: upstream.pathname,
      method: "POST",
      headers,
      body: chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks),
    };
    pool.dispatch(options, passOn(response));
  });
});

function passOn(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart: () => {},
    onResponseStart: (_controller, status, headers) => {
      const passed: Record<string, string> = {};
      for (const name of ["content-type", "content-length", "mcp-session-id"]) {
        const value = headers[name];
        if (typeof value === "string") passed[name] = value;
      }
      response.writeHead(status, passed);
    },
    onResponseData: (_controller, chunk) => {
      response.write(chunk);
    },
    onResponseEnd: () => {
      response.end();
    },
    onResponseError: () => {
      response.destroy();
    },
  };
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) {
    process.stdout.write(`http://127.0.0.1:${address.port}${upstream.pathname}\n`);
  }
});
