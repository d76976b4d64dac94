import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { META, SseParser, type JsonObject, type JsonRpcMessage } from "@cortex-os/mcp-core/wire";
import { afterEach } from "vitest";
import { startFixtureHttp, type FixtureHttp, type FixtureHttpOptions } from "../http/start-fixture-http.js";
import { startFixtureSse, type FixtureSse, type FixtureSseOptions } from "../http/start-fixture-sse.js";

/** A raw answer: every byte as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A modern client's `_meta`. */
export const META_FIELDS: JsonObject = {
  [META.protocolVersion]: "2026-07-28",
  [META.clientInfo]: { name: "raw", version: "0" },
  [META.clientCapabilities]: {},
};

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** Starts servers and closes them after each test; a server that does not close fails the test. */
export const useFixtureHttp = (): ((options?: FixtureHttpOptions) => Promise<FixtureHttp>) =>
  useServers(startFixtureHttp);

/** {@link useFixtureHttp} for the transport of 2024-11-05. */
export const useFixtureSse = (): ((options?: FixtureSseOptions) => Promise<FixtureSse>) => useServers(startFixtureSse);

function useServers<O, S extends { close(): Promise<void> }>(
  start: (options?: O) => Promise<S>,
): (options?: O) => Promise<S> {
  const open: S[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map(async (server) => server.close()));
  });
  return async (options) => {
    const server = await start(options);
    open.push(server);
    return server;
  };
}

/** One HTTP exchange over a connection of its own, with full control of the headers. */
export async function raw(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: string | Buffer,
): Promise<RawAnswer> {
  return await new Promise((resolve, reject) => {
    const req = httpRequest(url, { method, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString() });
      });
      res.on("error", reject);
    });
    req.on("error", reject);
    req.end(body);
  });
}

/** A modern request with its headers, which `headers` overrides; one that is `undefined` is left out. */
export async function modern(
  url: string,
  method: string,
  params: JsonObject = {},
  headers: Readonly<Record<string, string | undefined>> = {},
): Promise<RawAnswer> {
  const { body, headers: all } = modernMessage(method, params, headers);
  return await raw(url, "POST", all, body);
}

/** What {@link modern} sends. */
export function modernMessage(
  method: string,
  params: JsonObject,
  overrides: Readonly<Record<string, string | undefined>> = {},
): { body: string; headers: Record<string, string> } {
  const name = params["name"] ?? params["uri"];
  const headers: Record<string, string | undefined> = {
    ...JSON_HEADERS,
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    ...(typeof name === "string" ? { "mcp-name": name } : {}),
    ...overrides,
  };
  const sent = Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const body = JSON.stringify({ jsonrpc: "2.0", id: 7, method, params: { _meta: META_FIELDS, ...params } });
  return { body, headers: sent };
}

/** A legacy message in its session. */
export async function legacy(
  url: string,
  message: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  return await raw(url, "POST", { ...JSON_HEADERS, ...headers }, JSON.stringify({ jsonrpc: "2.0", ...message }));
}

/** The headers of a new legacy session of this revision, initialized. */
export async function openSession(
  url: string,
  revision = "2025-11-25",
  capabilities?: JsonObject,
): Promise<Record<string, string>> {
  const answer = await legacy(url, initializeMessage(revision, capabilities));
  const id = answer.headers["mcp-session-id"];
  if (typeof id !== "string") throw new Error(`no session: ${answer.status} ${answer.text}`);
  const headers = { "mcp-session-id": id, "mcp-protocol-version": revision };
  await legacy(url, { method: "notifications/initialized" }, headers);
  return headers;
}

/** An `initialize` request of this revision. */
export const initializeMessage = (protocolVersion: string, capabilities: JsonObject = { roots: {} }): JsonObject => ({
  id: 0,
  method: "initialize",
  params: { protocolVersion, capabilities, clientInfo: { name: "raw", version: "0" } },
});

/** The JSON of an answer. */
export const json = ({ text }: Pick<RawAnswer, "text">): JsonObject => JSON.parse(text) as JsonObject;

/** The `result` of an answer. */
export const resultOf = (answer: Pick<RawAnswer, "text">): JsonObject => json(answer)["result"] as JsonObject;

/** The `error` of an answer. */
export const errorOf = (answer: Pick<RawAnswer, "text">): JsonObject => json(answer)["error"] as JsonObject;

/** The messages of an event stream that came whole. */
export function messagesOf(text: string): JsonObject[] {
  const messages: JsonObject[] = [];
  new SseParser(({ data }) => messages.push(JSON.parse(data) as JsonObject)).push(Buffer.from(text));
  return messages;
}

/** An event stream that is read while it runs. */
export interface LiveStream {
  readonly status: number;
  readonly contentType: string | null;
  readonly messages: JsonRpcMessage[];
  /** The ids of the events so far, those of empty events too. */
  readonly ids: string[];
  /** What the event `endpoint` said, once it has come. */
  readonly endpoint: () => string | undefined;
  /** All text so far, comments too. */
  readonly text: () => string;
  /** Resolves when the server ends the stream, to whether it ended in order. */
  readonly ended: Promise<boolean>;
  /** Goes away. */
  leave(): void;
}

/** Opens a response and reads it as events in the background. */
export async function openStream(
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string },
): Promise<LiveStream> {
  const leaving = new AbortController();
  const response = await fetch(url, { ...init, signal: leaving.signal });
  const messages: JsonRpcMessage[] = [];
  let text = "";
  let endpoint: string | undefined;
  const ids: string[] = [];
  const parser = new SseParser(({ event, data, id }) => {
    if (id !== undefined) ids.push(id);
    if (event === "endpoint") endpoint = data;
    else if (data !== "") messages.push(JSON.parse(data) as JsonRpcMessage);
  });
  const read = async (): Promise<boolean> => {
    try {
      for await (const chunk of response.body ?? []) {
        const bytes = chunk as Uint8Array;
        text += Buffer.from(bytes).toString();
        parser.push(bytes);
      }
      return true;
    } catch {
      return false;
    }
  };
  return {
    status: response.status,
    contentType: response.headers.get("content-type"),
    messages,
    ids,
    endpoint: () => endpoint,
    text: () => text,
    ended: read(),
    leave: () => {
      leaving.abort();
    },
  };
}

/** A legacy message in its session whose answer is read while it comes. */
export const openLegacy = async (
  url: string,
  session: Readonly<Record<string, string>>,
  message: JsonObject,
): Promise<LiveStream> =>
  await openStream(url, {
    method: "POST",
    headers: { ...session, ...JSON_HEADERS },
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
  });

/** A legacy call of the tool `ask`. */
export const legacyAskCall = (id: number | string, args: JsonObject): JsonObject => ({
  id,
  method: "tools/call",
  params: { name: "ask", arguments: args },
});
