import { spawn } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import { isJsonObject, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";

/**
 * The yardstick for stdio upstreams: the least that an HTTP server in front of one child must do. Callers' ids may collide, so each request goes out under an id of the
 * proxy's own and each answer goes back under its caller's; nothing else is looked at.
 * Usage: node bare-stdio-proxy-main.js PROGRAM. Prints the URL it serves.
 */
interface Waiting {
  readonly response: ServerResponse;
  readonly id: JsonValue | undefined;
}

/** How every server that writes an envelope before its result begins an answer; of others the whole line is read. */
const HEAD = /^\{"jsonrpc":"2\.0","id":(\d+),/;
/** Longer than any such head. */
const HEAD_BYTES = 64;
const NEWLINE = 0x0a;

const child = spawn(process.execPath, [process.argv[2] ?? ""], { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map<number, Waiting>();
let lastId = 0;
let held: Buffer = Buffer.alloc(0);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    const message = read(String(body));
    lastId += 1;
    waiting.set(lastId, { response, id: message["id"] });
    child.stdin.write(`${JSON.stringify({ ...message, id: lastId })}\n`);
  });
});

child.stdout.on("data", (chunk: Buffer) => {
  const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    answer(bytes.subarray(start, end));
    start = end + 1;
  }
  held = bytes.subarray(start);
});

function answer(line: Buffer): void {
  const head = HEAD.exec(line.toString("latin1", 0, HEAD_BYTES));
  const message = head === null ? read(line.toString()) : undefined;
  const id = Number(head?.[1] ?? message?.["id"]);
  const caller = waiting.get(id);
  if (caller === undefined) return;
  waiting.delete(id);
  const body =
    message === undefined
      ? Buffer.concat([
          Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(caller.id)},`),
          line.subarray(head?.[0].length),
        ])
      : Buffer.from(JSON.stringify({ ...message, id: caller.id }));
  caller.response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  caller.response.end(body);
}

function read(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new Error("a message is one JSON object");
  return value;
}

process.once("SIGTERM", () => {
  child.kill();
  process.exit(0);
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) {
    process.stdout.write(`http://127.0.0.1:${address.port}/mcp\n`);
  }
});
