import { createServer } from "node:http";
import type { Socket } from "node:net";
import { GatewayError, type Logger, type Timers } from "@cortex-os/mcp-core";
import type { Gateway } from "../gateway/gateway.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import { DEFAULT_STREAM_POLICY, type StreamPolicy } from "./client-stream.js";
import { controlApi } from "./control-api.js";
import { drain, type DrainPlan } from "./drain.js";
import { DEFAULT_EVENT_LOG_LIMITS } from "./event-log.js";
import { guard, type GuardPolicy } from "./guards.js";
import { IdleConnections } from "./idle-connections.js";
import { KeepAlive } from "./keep-alive.js";
import { LegacySse } from "./legacy-sse.js";
import { closed, listen, type ListenPlace } from "./listen.js";
import { McpEndpoint } from "./mcp-endpoint.js";
import { connectorOfPath } from "./mcp-path.js";
import { OpenAnswers } from "./open-answers.js";
import type { OwnedRegistry } from "./registry-api.js";
import { sendEmpty, sendError } from "./respond.js";
import { opsRoutes, type Handler } from "./routes.js";
import { StdioUpgrades } from "./stdio-upgrade.js";

/** Bounds of one HTTP front. */
export interface HttpLimits {
  /** Largest request body in bytes. @default 4 MiB */
  readonly bodyBytes: number;
  /** A request's headers must be here within so many milliseconds. @default 5_000 */
  readonly headersMs: number;
  /** A whole request must be here within so many milliseconds. @default 30_000 */
  readonly requestMs: number;
  /** Most connections at once. @default 10_000 */
  readonly connections: number;
  /** A reader that takes nothing for so many milliseconds is cut off. @default 30_000 */
  readonly slowReaderMs: number;
}

/** {@link HttpLimits}' defaults. */
export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  bodyBytes: 4 * 1024 * 1024,
  headersMs: 5_000,
  requestMs: 30_000,
  connections: 10_000,
  slowReaderMs: 30_000,
};

/** How a gateway is served. */
export interface ServeHttpOptions {
  readonly listen: ListenPlace;
  /** Also serves `/api/v1`, and clients of relays that upgrade their connection there; for the control socket. @default false */
  readonly controlApi?: boolean;
  /**
   * Makes room for another gateway, which asked for it on the control socket; without it that is refused. Who asked waits until `untilMs`, in milliseconds since the epoch: a
   * request may be read much later than it was sent.
   */
  readonly onYield?: (untilMs: number) => void;
  /** The registry that the command line changes through `/api/v1/registry`. @default none: those routes are not there */
  readonly registry?: OwnedRegistry;
  /** Also serves `/sse` and `/messages`, the transport of 2024-11-05. @default false */
  readonly legacySse?: boolean;
  readonly allowedHosts?: readonly string[];
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
  /** How event streams of legacy clients live on without their client. */
  readonly streams?: Partial<StreamPolicy>;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly timers: Timers;
}

/** A gateway being served. */
export interface HttpFront {
  /** Where it is reached: the endpoint of MCP clients, or the socket's path. */
  readonly url: string;
  readonly port: number | undefined;
  /**
   * Says on `/readyz` that it drains, ends long-lived streams in good order, stops accepting, waits for requests under way. Those
   * still waiting at `deadlineMs` fail with −31001; soon after, what is left is cut off.
   */
  drain(plan: DrainPlan): Promise<void>;
  /** Resolves as soon as no relay brings a client to it. */
  unrelayed(): Promise<void>;
  /** Cuts everything off. Idempotent. */
  close(): Promise<void>;
}

const MAX_HEADER_BYTES = 16 * 1024;
const CHECK_CONNECTIONS_MS = 500;

/**
 * Serves a gateway over HTTP.
 * @throws GatewayError USER_INPUT when the port or socket is taken or may not be used
 */
export async function serveHttp(gateway: Gateway, options: ServeHttpOptions): Promise<HttpFront> {
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  let draining = false;
  const sockets = new Set<Socket>();
  const answers = new OpenAnswers();
  const { listener, endIdle } = createFront({ gateway, options, limits, answers, isDraining: () => draining });
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      // Node's defaults closed 0 of 200 slow connections in 8 s (reliability.md, threat 25).
      connectionsCheckingInterval: CHECK_CONNECTIONS_MS,
      // Idle connections are closed here.
      keepAliveTimeout: 0,
    },
    listener,
  );
  const upgrades = new StdioUpgrades({
    gateway,
    ...options,
    policy: policyOf(options),
    maxMessageBytes: limits.bodyBytes,
    isDraining: () => draining,
  });
  if (options.controlApi === true) {
    server.on("upgrade", (request, socket, head) => {
      // It is no HTTP connection any more.
      sockets.delete(request.socket);
      upgrades.handle(request, socket, head);
    });
  }
  const idle = new IdleConnections(options.timers, sockets, answers);
  server.on("connection", (socket) => {
    sockets.add(socket);
    idle.connected();
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) idle.stop();
      // After Node has told whom it tells.
      setImmediate(() => {
        answers.gone(socket);
      });
    });
  });
  server.maxConnections = limits.connections;
  await listen(server, options.listen);
  server.on("error", (error) => {
    // One connection could not be accepted (too many open files): those that are open go on.
    options.logger.error({ err: error }, "The HTTP server had an error");
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : undefined;
  const close = async (): Promise<void> => {
    upgrades.close();
    server.closeAllConnections();
    await closed(server);
  };
  return {
    url: "socketPath" in options.listen ? options.listen.socketPath : urlOf(options.listen.host, port),
    port,
    close,
    drain: async (plan) => {
      draining = true;
      const endStreams = (): void => {
        gateway.endStreams();
        endIdle();
      };
      const failUnanswered = (): void => {
        const calls = answers.shutDown(new GatewayError("UPSTREAM_UNAVAILABLE", "the gateway is shutting down"));
        if (calls > 0) options.logger.warn({ calls }, "Calls failed because the gateway is shutting down");
      };
      await Promise.all([
        drain({ server, timers: options.timers, sockets, answers, endStreams, failUnanswered }, plan),
        upgrades.drain(plan),
      ]);
    },
    unrelayed: () => upgrades.none(),
  };
}

interface FrontDeps {
  readonly gateway: Gateway;
  readonly options: ServeHttpOptions;
  readonly limits: HttpLimits;
  readonly answers: OpenAnswers;
  readonly isDraining: () => boolean;
}

/** What answers requests, and what ends the streams that keep no request waiting. */
interface Front {
  readonly listener: Handler;
  readonly endIdle: () => void;
}

function createFront({ gateway, options, limits, answers, isDraining }: FrontDeps): Front {
  const { logger, metrics, timers } = options;
  const { unanswered } = answers;
  const policy = policyOf(options);
  const { slowReaderMs, bodyBytes: maxBodyBytes } = limits;
  const keepAlive = new KeepAlive(timers);
  const deps = {
    ...{ gateway, metrics, logger, timers, keepAlive, unanswered, slowReaderMs, maxBodyBytes },
    policy: { ...DEFAULT_STREAM_POLICY, ...options.streams },
    limits: DEFAULT_EVENT_LOG_LIMITS,
    isAccepting: () => !isDraining(),
  };
  const endpoint = new McpEndpoint(deps);
  const sse = new LegacySse(deps);
  const routes = new Map<string, Handler>([
    ...Object.entries(opsRoutes({ gateway, metrics, isDraining })),
    ...(options.controlApi === true
      ? Object.entries(controlApi({ ...deps, onYield: options.onYield, registry: options.registry }))
      : []),
    ...(options.legacySse === true ? Object.entries(sse.routes) : []),
  ]);
  const listener: Handler = (request, response) => {
    answers.add(response);
    if (isDraining()) response.setHeader("connection", "close");
    const refusal = guard(request, policy);
    if (refusal !== undefined) {
      metrics.rejected(refusal.reason);
      response.setHeader("connection", "close");
      sendError(response, refusal.status, new GatewayError(refusal.code, refusal.message));
      return;
    }
    const path = pathOf(request.url ?? "/");
    if (path === "/mcp") {
      endpoint.handle(request, response);
      return;
    }
    const key = connectorOfPath(path);
    if (key !== undefined) endpoint.handle(request, response, key);
    else (routes.get(path) ?? notFound)(request, response);
  };
  const endIdle = (): void => {
    sse.endIdle();
  };
  return { listener, endIdle };
}

const policyOf = ({ allowedHosts = [], allowedOrigins = [] }: ServeHttpOptions): GuardPolicy => ({
  allowedHosts: allowedHosts.map((host) => host.toLowerCase()),
  allowedOrigins,
});

const notFound: Handler = (_request, response) => {
  sendEmpty(response, 404);
};

function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

function urlOf(host: string, port: number | undefined): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port ?? 0}/mcp`;
}
