import type { ServerResponse } from "node:http";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { LEGACY_CALLER, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { result, upstream, type ScriptedUpstream, type Seen } from "../../http/__tests__/scripted-upstream.js";
import type { Link } from "../../link.js";

/** The answer to one call of a client's. */
export function called(link: Link, sessionKey = "client-1"): Promise<RecordingSink> {
  const sink = new RecordingSink();
  link.send(toolCall({ ...LEGACY_CALLER, sessionKey }), sink);
  return sink.done;
}

/** One connection, which is one session. */
export class OldSession {
  readonly id: string;
  /** The GET that opened it. */
  readonly get: Seen;
  /** Everything that was POSTed to it. */
  readonly posted: Seen[] = [];
  readonly #res: ServerResponse;

  constructor(id: string, get: Seen, res: ServerResponse) {
    this.id = id;
    this.get = get;
    this.#res = res;
  }

  get methods(): string[] {
    return this.posted.map(({ method }) => method);
  }

  /** Whether the client has closed the stream. */
  get left(): boolean {
    return this.get.aborted;
  }

  send(message: unknown): void {
    this.event("message", JSON.stringify(message));
  }

  event(type: string, data: string): void {
    this.#res.write(`event: ${type}\ndata: ${data}\n\n`);
  }

  /** Bytes as they are. */
  raw(text: string): void {
    this.#res.write(text);
  }

  end(): void {
    this.#res.end();
  }

  cut(): void {
    this.#res.destroy();
  }
}

/** How an {@link OldServer} behaves. */
export interface OldOptions {
  readonly revision?: string;
  readonly capabilities?: JsonObject;
  /** What the endpoint event says; `undefined` for no event. @default a relative reference to /messages */
  readonly endpoint?: (id: string, url: string) => string | undefined;
  /** Answers a POST in its own way. @returns whether it did */
  readonly post?: (seen: Seen, res: ServerResponse, session: OldSession) => boolean;
  /** Answers what is POSTed to the address of the stream. @default 405 */
  readonly streamable?: (seen: Seen, res: ServerResponse) => void;
}

/** Answers a request on the session's stream. */
export type Calls = (seen: Seen, session: OldSession) => void;

/** A server of the HTTP+SSE transport (2024-11-05) on a real socket. */
export class OldServer {
  readonly sessions: OldSession[] = [];
  calls: Calls;
  options: OldOptions;
  /** The server itself. */
  readonly http: ScriptedUpstream;

  private constructor(http: ScriptedUpstream, calls: Calls, options: OldOptions) {
    this.http = http;
    this.calls = calls;
    this.options = options;
    http.script = (seen, res) => this.#serve(seen, res);
  }

  /** Runs until the end of the test, and fails it when a connection was left open. */
  static async start(calls: Calls = echo, options: OldOptions = {}): Promise<OldServer> {
    return new OldServer(await upstream(() => {}), calls, options);
  }

  get url(): string {
    return this.http.url;
  }

  /** Those whose client has not left. */
  get living(): OldSession[] {
    return this.sessions.filter(({ left }) => !left);
  }

  /** The session that a client with this name opened last. */
  of(name: string): OldSession | undefined {
    return this.sessions.findLast(({ posted }) =>
      JSON.stringify(posted.find(({ method }) => method === "initialize")?.message).includes(`"name":"${name}"`),
    );
  }

  #serve(seen: Seen, res: ServerResponse): void {
    if (seen.http === "GET") this.#open(seen, res);
    else if (seen.url === "/mcp") {
      if (this.options.streamable === undefined) res.writeHead(405).end();
      else this.options.streamable(seen, res);
    } else this.#posted(seen, res);
  }

  #open(seen: Seen, res: ServerResponse): void {
    const session = new OldSession(String(this.sessions.length + 1), seen, res);
    this.sessions.push(session);
    res.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    const named = this.options.endpoint ?? ((id: string) => `/messages?session=${id}`);
    const endpoint = named(session.id, this.url);
    if (endpoint !== undefined) session.event("endpoint", endpoint);
  }

  #posted(seen: Seen, res: ServerResponse): void {
    const id = new URL(seen.url, this.url).searchParams.get("session");
    const session = this.sessions.find((each) => each.id === id && !each.left);
    if (session === undefined) {
      res.writeHead(404).end("Session not found");
      return;
    }
    session.posted.push(seen);
    if (this.options.post?.(seen, res, session) === true) return;
    res.writeHead(202).end("Accepted");
    this.answer(seen, session);
  }

  /** What follows an accepted message. */
  answer(seen: Seen, session: OldSession): void {
    if (seen.method === "initialize") {
      const { protocolVersion } = seen.message["params"] as JsonObject;
      const { capabilities = { tools: { listChanged: true } }, revision = protocolVersion } = this.options;
      const serverInfo = { name: "old", version: "1" };
      session.send(result(seen, { protocolVersion: revision, capabilities, serverInfo, instructions: "be patient" }));
    } else if (seen.message["id"] !== undefined && seen.message["method"] !== undefined) this.calls(seen, session);
  }
}

/** Answers every request with its own params and the session's number. */
const echo: Calls = (seen, session) => {
  session.send(result(seen, { session: session.id, params: seen.message["params"] ?? null }));
};
