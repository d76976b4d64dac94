import { spawn } from "node:child_process";
import { createServer, type Server, type ServerResponse } from "node:http";
import { isJsonObject, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";

interface Waiting {
  readonly response: ServerResponse;
  readonly id: JsonValue | undefined;
}

/** How every server that writes an envelope before its result begins an answer; of others the whole line is read. */
const HEAD = /^\{"jsonrpc":"2\.0","id":(\d+),/;
/** Longer than any such head. */
const HEAD_BYTES = 64;
const NEWLINE = 0x0a;

/**
 * The yardstick for stdio upstreams: the least that an HTTP server in front of one child must do. Callers' ids may collide, so each request goes out under an id of the
 * proxy's own and each answer goes back under its caller's; nothing else is looked at.
 * @param program what the child runs, with Node
 * @returns a server that does not listen yet; closing it ends the child
 */
export function bareStdioProxy(program: string): Server {
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let held: Buffer = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      answer(waiting, bytes.subarray(start, end));
      start = end + 1;
    }
    held = bytes.subarray(start);
  });
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
  server.once("close", () => child.kill());
  return server;
}

function answer(waiting: Map<number, Waiting>, line: Buffer): void {
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
