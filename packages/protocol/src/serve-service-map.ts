import { createHash, timingSafeEqual } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import { GatewayError, type Timers } from "@cortex-os/mcp-core";
import { matchesAny } from "./if-none-match.js";
import { ServiceMapPublisher, type ServiceMapPublisherOptions } from "./service-map-publisher.js";

/** Where a publisher's service map is (R3b). */
export const SERVICE_MAP_PATH = "/v1/connectors/service-map";

/** How a service map is published over HTTP. */
export interface ServeServiceMapOptions extends ServiceMapPublisherOptions {
  /** Asked for as `Authorization: Bearer …`. Without one everybody who can reach the port reads the map. */
  readonly apiKey?: string;
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** @default 0, a free one */
  readonly port?: number;
  /** A request's headers must be here within so many milliseconds. @default 5_000 */
  readonly headersMs?: number;
}

/** A service map being published. */
export interface ServedServiceMap {
  /** The map's own URL. */
  readonly url: string;
  readonly port: number;
  /**
   * Takes the files as they are now, without waiting for the next look.
   * @throws GatewayError USER_INPUT when one of them is bad; the last good map stays
   */
  reload(): Promise<void>;
  /** Finishes the answers under way, for a second at most, and closes every connection. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_HEADERS_MS = 5_000;
const CHECK_CONNECTIONS_MS = 500;
/** An answer must be taken within so many milliseconds: nobody may hold a connection by being slow. */
const ANSWER_MS = 30_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 10_000;
const CLOSE_GRACE_MS = 1_000;

/**
 * Publishes the map of a manifest file: `GET` and `HEAD` of {@link SERVICE_MAP_PATH}, with a strong `ETag` and 304, and `/livez`. All
 * answers share one buffer.
 *
 * @throws GatewayError USER_INPUT when the manifest or the key is bad, or the address cannot be used
 */
export async function serveServiceMap(options: ServeServiceMapOptions): Promise<ServedServiceMap> {
  const { host = "127.0.0.1", port = 0, headersMs = DEFAULT_HEADERS_MS, timers } = options;
  const publisher = await ServiceMapPublisher.start(options);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: headersMs,
      // Node's default of 30 s leaves slow connections open (reliability.md, threat 25).
      connectionsCheckingInterval: Math.min(CHECK_CONNECTIONS_MS, headersMs),
    },
    listener(publisher, options.apiKey, timers),
  );
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await listen(server, host, port);
  } catch (error) {
    await publisher.close();
    throw error;
  }
  server.on("error", (error) => {
    // One connection could not be accepted (too many open files): those that are open go on.
    options.logger.error({ err: error }, "The HTTP server of the service map had an error");
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}${SERVICE_MAP_PATH}`,
    port: bound,
    reload: () => publisher.reload(),
    close: () => (closing ??= Promise.all([publisher.close(), closed(server, timers)]).then(() => {})),
  };
}

function listener(publisher: ServiceMapPublisher, apiKey: string | undefined, timers: Timers) {
  const digest = apiKey === undefined ? undefined : sha256(`Bearer ${apiKey}`);
  return (request: IncomingMessage, response: ServerResponse): void => {
    const taken = timers.after(ANSWER_MS, () => {
      response.destroy();
    });
    response.once("close", taken);
    const [path] = (request.url ?? "/").split("?", 1);
    response.setHeader("X-Content-Type-Options", "nosniff");
    // Nothing asked of us needs a body, and nobody waits for the end of this one.
    if (hasBody(request)) response.setHeader("Connection", "close");
    if (path !== SERVICE_MAP_PATH && path !== "/livez") return sendText(response, 404, "not found");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return sendText(response, 405, "only GET and HEAD", { Allow: "GET, HEAD" });
    }
    if (path === "/livez") return sendText(response, 200, "ok");
    if (digest !== undefined && !isAuthorized(request, digest)) {
      return sendText(response, 401, "an API key is needed", { "WWW-Authenticate": "Bearer" });
    }
    return sendMap(request, response, publisher);
  };
}

function sendMap(request: IncomingMessage, response: ServerResponse, publisher: ServiceMapPublisher): void {
  const { body, etag } = publisher.current;
  const headers = { ETag: etag, "Cache-Control": "no-cache" };
  if (matchesAny(request.headers["if-none-match"], etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, "Content-Type": "application/json", "Content-Length": body.length }).end(body);
}

/** Digests are compared, not keys: they have one length, and tell nothing about the key by how long it takes. */
function isAuthorized(request: IncomingMessage, digest: Buffer): boolean {
  // Node would silently take the first of two.
  const [credential, ...more] = request.headersDistinct["authorization"] ?? [];
  if (credential === undefined || more.length > 0) return false;
  return timingSafeEqual(sha256(credential.replace(/^bearer +/i, "Bearer ")), digest);
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || !["0", undefined].includes(headers["content-length"]);

function sendText(response: ServerResponse, status: number, text: string, headers: OutgoingHttpHeaders = {}): void {
  const body = `${text}\n`;
  response
    .writeHead(status, { ...headers, "Content-Type": "text/plain; charset=utf-8", "Content-Length": body.length })
    .end(body);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(listenError(error, host, port));
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: "it is taken; stop what uses it or choose another with --port",
  EACCES: "this user may not use it; choose another with --port",
  EADDRNOTAVAIL: "this machine has no such address; choose another with --host",
  ENOTFOUND: "this host name is not known; choose another with --host",
};

function listenError(error: NodeJS.ErrnoException, host: string, port: number): GatewayError {
  const reason = LISTEN_ADVICE[error.code ?? ""] ?? error.message;
  return new GatewayError("USER_INPUT", `cannot listen on ${host}:${port}: ${reason}`, { cause: error });
}

async function closed(server: Server, timers: Timers): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = timers.after(CLOSE_GRACE_MS, () => {
      server.closeAllConnections();
    });
    server.close(() => {
      cancel();
      resolve();
    });
  });
}
