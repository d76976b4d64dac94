import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { nowMs, type Heard } from "./many-heard.js";

/**
 * Many clients of a gateway in one process: it opens their streams, a few at a time, and counts what they are told.
 * Usage: node many-clients-main.js URL COUNT listeners|sessions|silent-sessions. Prints a URL when all are there; a GET of it answers with what they heard, a DELETE begins to count anew.
 */
const [gateway = "", many = "", kind = ""] = process.argv.slice(2);
const { hostname, port, pathname } = new URL(gateway);

const AT_A_TIME = 50;
const BUCKET_MS = 10;
const heard = { at: [] as number[], who: new Set<number>() };

const meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "benchmark", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

const LISTEN = post(
  { method: "subscriptions/listen", params: { notifications: { toolsListChanged: true }, _meta: meta } },
  ["mcp-protocol-version: 2026-07-28", "mcp-method: subscriptions/listen"],
);
const INITIALIZE = post(
  {
    method: "initialize",
    params: {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "benchmark", version: "1.0.0" },
    },
  },
  [],
);

function post(message: object, headers: readonly string[]): string {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...message });
  return request("POST", [
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
  ]).concat(body);
}

function request(method: string, headers: readonly string[]): string {
  const lines = [`${method} ${pathname} HTTP/1.1`, `host: ${hostname}:${port}`];
  return [...lines, "accept: application/json, text/event-stream", ...headers, "", ""].join("\r\n");
}

/** Opens a connection, sends `text` and resolves with what came until it matches. */
async function exchange(text: string, until: RegExp, socket: Socket = connect(Number(port), hostname)) {
  return new Promise<{ readonly socket: Socket; readonly match: RegExpExecArray }>((resolve, reject) => {
    let came = "";
    const onData = (chunk: Buffer): void => {
      came += chunk.toString("latin1");
      const match = until.exec(came);
      if (match === null) return;
      socket.off("data", onData);
      socket.off("close", onClose);
      resolve({ socket, match });
    };
    const onClose = (): void => reject(new Error(`the connection ended: ${came.slice(0, 500)}`));
    socket.on("data", onData);
    socket.on("error", () => {});
    socket.on("close", onClose);
    socket.write(text);
  });
}

function hear(socket: Socket, client: number): void {
  socket.on("data", (chunk: Buffer) => {
    if (!chunk.includes("list_changed")) return;
    heard.at.push(nowMs());
    heard.who.add(client);
  });
}

async function open(client: number): Promise<void> {
  if (kind === "listeners") {
    const { socket } = await exchange(LISTEN, /acknowledged[^\n]*\n\n/);
    hear(socket, client);
    return;
  }
  const { socket, match } = await exchange(INITIALIZE, /mcp-session-id: (\S+)[^]*"serverInfo"[^]*\}/i);
  const session = [`mcp-session-id: ${match[1]}`, "mcp-protocol-version: 2025-11-25"];
  if (kind === "silent-sessions") socket.destroy();
  else hear((await exchange(request("GET", session), /200 OK[^]*\r\n\r\n/, socket)).socket, client);
}

function report(): Heard {
  const counts = new Map<number, number>();
  for (const at of heard.at) {
    const bucket = Math.floor(at / BUCKET_MS);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return {
    clients: Number(many),
    told: heard.who.size,
    notices: heard.at.length,
    firstMs: heard.at[0] ?? 0,
    lastMs: heard.at.at(-1) ?? 0,
    most: [...counts.values()].reduce((a, b) => Math.max(a, b), 0),
  };
}

let next = 0;
await Promise.all(
  Array.from({ length: AT_A_TIME }, async () => {
    while (next < Number(many)) await open(next++);
  }),
);

const server = createServer(({ method }, response) => {
  if (method === "DELETE") {
    heard.at = [];
    heard.who.clear();
  }
  response.end(JSON.stringify(report()));
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) process.stdout.write(`http://127.0.0.1:${address.port}/\n`);
});
