import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { expect, onTestFinished, vi } from "vitest";

/** One request as the upstream saw it. */
export interface Seen {
  readonly http: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The JSON-RPC message in the body, `{}` when there is none. */
  readonly message: JsonObject;
  /** The message's method, or the HTTP method when there is no message. */
  readonly method: string;
  /** Becomes true when the client closed the connection before the response was complete. */
  aborted: boolean;
}

export type Script = (seen: Seen, res: ServerResponse) => void;

/** A real HTTP server on port 0 that behaves as a test says, well or badly. */
export class ScriptedUpstream {
  readonly seen: Seen[] = [];
  script: Script;
  #server: Server | undefined;
  #port = 0;
  /** How many TCP connections it ever accepted. */
  connections = 0;

  constructor(script: Script) {
    this.script = script;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/mcp`;
  }

  /** The methods of what it saw, in order. */
  get methods(): string[] {
    return this.seen.map(({ method }) => method);
  }

  of(method: string): Seen[] {
    return this.seen.filter((seen) => seen.method === method);
  }

  /** Listens, on the same port as before when it was stopped. */
  async start(): Promise<void> {
    const server = createServer((req, res) => {
      void this.#serve(req, res);
    });
    server.on("connection", () => {
      this.connections += 1;
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
    this.#server = server;
  }

  /** Goes away as a crashed process does: every connection is cut. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = server.listening || (await this.#count(server)) > 0 ? once(server, "close") : undefined;
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** Accepts no more connections, but goes on with those that are at work. */
  refuse(): void {
    this.#server?.close();
  }

  /** Open connections at this moment. */
  async open(): Promise<number> {
    return this.#server === undefined ? 0 : await this.#count(this.#server);
  }

  async #count(server: Server): Promise<number> {
    return await new Promise((resolve, reject) => {
      server.getConnections((error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of req) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks).toString("utf8");
    const value: unknown = body === "" ? {} : JSON.parse(body);
    const message = isJsonObject(value) ? value : {};
    const { method } = message;
    const http = req.method ?? "";
    const seen: Seen = {
      http,
      url: req.url ?? "",
      headers: req.headers,
      body,
      message,
      method: typeof method === "string" ? method : http,
      aborted: false,
    };
    res.once("close", () => {
      if (!res.writableFinished) seen.aborted = true;
    });
    this.seen.push(seen);
    this.script(seen, res);
  }
}

/** A scripted upstream that runs until the end of the test, and fails it when a connection was left open. */
export async function upstream(script: Script): Promise<ScriptedUpstream> {
  const server = new ScriptedUpstream(script);
  await server.start();
  onTestFinished(async () => {
    try {
      // What the test opened after this server is closed by now: the last come is the first to go.
      await vi.waitFor(async () => expect(await server.open(), "connections left open").toBe(0));
    } finally {
      await server.stop();
    }
  });
  return server;
}

/** Answers with JSON. */
export function json(res: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  res.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

/** A JSON-RPC result for what was asked. */
export function result(seen: Seen, value: JsonObject): JsonObject {
  return { jsonrpc: "2.0", id: seen.message["id"], result: value };
}

/** A JSON-RPC error for what was asked. */
export function failure(seen: Seen, code: number, message = "no", data?: JsonObject): JsonObject {
  return { jsonrpc: "2.0", id: seen.message["id"], error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** Begins an event stream. */
export function openStream(res: ServerResponse): (message: JsonObject) => void {
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  res.flushHeaders();
  return (message) => {
    res.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  };
}

/** Answers with a whole event stream. */
export function stream(res: ServerResponse, ...messages: JsonObject[]): void {
  const send = openStream(res);
  for (const message of messages) send(message);
  res.end();
}

export const DISCOVERED: JsonObject = {
  resultType: "complete",
  supportedVersions: ["2026-07-28"],
  capabilities: { tools: {} },
  _meta: { "io.modelcontextprotocol/serverInfo": { name: "scripted", version: "1" } },
};

/** Behaves as a modern server; `calls` answers everything but discovery. */
export function modern(calls: Script, discovered: JsonObject = DISCOVERED): Script {
  return (seen, res) => {
    if (seen.method === "server/discover") json(res, 200, result(seen, discovered));
    else calls(seen, res);
  };
}

/** A legacy server's sessions. */
export interface LegacyOptions {
  /** Gives session ids; without, there are no sessions. */
  readonly sessions?: Set<string>;
  readonly capabilities?: JsonObject;
  readonly revision?: string;
  /** Answers GET; 405 without. */
  readonly get?: Script;
  /** The status of a request in a session that is not known, with its body. @default 404 */
  readonly unknownSession?: (seen: Seen, res: ServerResponse) => void;
}

/** Behaves as a legacy server; `calls` answers requests after the handshake. */
export function legacy(calls: Script, options: LegacyOptions = {}): Script {
  const { sessions } = options;
  let last = 0;
  return (seen, res) => {
    const id = seen.headers["mcp-session-id"];
    if (seen.method === "initialize") {
      const headers: Record<string, string> = {};
      if (sessions !== undefined) {
        headers["mcp-session-id"] = `session-${String(++last)}`;
        sessions.add(`session-${String(last)}`);
      }
      const { protocolVersion } = seen.message["params"] as JsonObject;
      const value = {
        protocolVersion: options.revision ?? protocolVersion,
        capabilities: options.capabilities ?? { tools: {} },
        serverInfo: { name: "scripted-legacy", version: "1" },
      };
      json(res, 200, result(seen, value), headers);
    } else if (seen.method === "server/discover" && id === undefined) {
      json(res, 400, {
        jsonrpc: "2.0",
        id: null,
        error: { code: -32_000, message: "Bad Request: Server not initialized" },
      });
    } else if (sessions !== undefined && !sessions.has(String(id))) {
      if (options.unknownSession !== undefined) options.unknownSession(seen, res);
      else json(res, 404, { jsonrpc: "2.0", id: null, error: { code: -32_001, message: "Session not found" } });
    } else if (seen.http === "DELETE") {
      sessions?.delete(String(id));
      res.writeHead(200).end();
    } else if (seen.http === "GET") {
      if (options.get === undefined) res.writeHead(405).end();
      else options.get(seen, res);
    } else if (seen.message["id"] === undefined || seen.message["method"] === undefined) res.writeHead(202).end();
    else calls(seen, res);
  };
}
