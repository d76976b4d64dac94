import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isJsonObject } from "@cortex-os/mcp-core/wire";
import type { MinimalServer } from "./minimal-server.js";

/** A {@link MinimalServer} over streamable HTTP. A legacy one gives every client a session, and does not look at it again. */
export function minimalHttp(minimal: MinimalServer): Server {
  let sessions = 0;
  const answer = (text: string, response: ServerResponse): void => {
    const request: unknown = JSON.parse(text);
    if (!isJsonObject(request)) throw new Error("a message is one JSON object");
    const parts = minimal.answer(request);
    if (parts === undefined) {
      response.writeHead(202, { "content-length": 0 }).end();
      return;
    }
    const notifications = minimal.notifications(request);
    if (notifications.length > 0) {
      stream([...notifications, parts.join("")], response);
      return;
    }
    const length = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
    response.writeHead(statusOf(parts), {
      "content-type": "application/json",
      "content-length": length,
      ...(request["method"] === "initialize" ? { "mcp-session-id": `session-${++sessions}` } : {}),
    });
    response.cork();
    for (const part of parts) response.write(part);
    response.end();
  };
  return createServer((request, response) => {
    if (request.method !== "POST") {
      response.writeHead(request.method === "DELETE" ? 200 : 405, { "content-length": 0 }).end();
      return;
    }
    whole(request, (text) => {
      answer(text, response);
    });
  });
}

/** A request that a modern server does not know is refused with 404. */
const statusOf = ([head]: readonly (string | Buffer)[]): number =>
  typeof head === "string" && head.includes('"error":{"code":-32601') ? 404 : 200;

function whole(request: IncomingMessage, done: (text: string) => void): void {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (piece: string) => {
    text += piece;
  });
  request.on("end", () => {
    done(text);
  });
}

/** Server-sent events, each of which is a write of its own, in a turn of its own. */
function stream(messages: readonly string[], response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const next = (at: number): void => {
    const message = messages[at];
    if (message === undefined) {
      response.end();
      return;
    }
    response.write(`event: message\ndata: ${message}\n\n`);
    setImmediate(next, at + 1);
  };
  next(0);
}
