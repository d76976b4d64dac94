import { startFixtureHttp, type FixtureHttp, type FixtureHttpOptions } from "@cortex-os/fixture-server";
import { systemClock, systemMonotonic, systemRandom, systemTimers, type ConnectorSpec } from "@cortex-os/mcp-core";
import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { beforeEach, onTestFinished, vi } from "vitest";
import type { ConnectorSource, SpecsListener } from "../../connectors/connector-source.js";
import { Gateway } from "../../gateway/gateway.js";
import type { GatewayOptions } from "../../gateway/gateway-options.js";
import { serveHttp, type HttpFront, type ServeHttpOptions } from "../../http/serve-http.js";
import { createMetrics, type GatewayMetrics } from "../../telemetry/metrics.js";
import { send, type Reply } from "./http.js";
import { specOf } from "./specs.js";

/** A source that names what the test says. */
export class StaticSource implements ConnectorSource {
  readonly origin = "registry";
  reloads = 0;
  #specs: readonly ConnectorSpec[];
  #listener: SpecsListener = () => {};

  constructor(specs: readonly ConnectorSpec[]) {
    this.#specs = specs;
  }

  async start(listener: SpecsListener): Promise<void> {
    this.#listener = listener;
    await this.reload();
  }

  async reload(): Promise<void> {
    this.reloads += 1;
    this.#listener(this.#specs);
    await Promise.resolve();
  }

  name(specs: readonly ConnectorSpec[]): void {
    this.#specs = specs;
    this.#listener(specs);
  }

  async close(): Promise<void> {
    this.#listener = () => {};
    await Promise.resolve();
  }
}

/** A real upstream on a free port, closed with the test. */
export async function startUpstream(options: FixtureHttpOptions = {}): Promise<FixtureHttp> {
  const fixture = await startFixtureHttp(options);
  onTestFinished(async () => fixture.close());
  return fixture;
}

/** A connector that is reached at `url`. */
export const specAt = (key: string, url: string): ConnectorSpec =>
  specOf(key, { transport: { kind: "http", url, headers: {} } });

/** A gateway that runs, and what it was made of. */
export interface RunningGateway {
  readonly gateway: Gateway;
  readonly source: StaticSource;
  readonly logger: RecordingLogger;
  readonly metrics: GatewayMetrics;
}

/** Starts a gateway over real upstreams; it is closed with the test, which fails when a socket is left open. */
export async function startGateway(
  specs: readonly ConnectorSpec[],
  options: Partial<GatewayOptions> = {},
): Promise<RunningGateway> {
  const logger = new RecordingLogger();
  const metrics = createMetrics();
  const source = new StaticSource(specs);
  const gateway = new Gateway({
    version: "1.2.3",
    sources: [source],
    clock: systemClock,
    monotonic: systemMonotonic,
    timers: systemTimers,
    random: systemRandom,
    logger,
    metrics,
    ...options,
  });
  onTestFinished(async () => gateway.close());
  await gateway.start();
  return { gateway, source, logger, metrics };
}

/** Serves a gateway on a free port of 127.0.0.1. */
export async function startFront(running: RunningGateway, options: Partial<ServeHttpOptions> = {}): Promise<HttpFront> {
  const front = await serveHttp(running.gateway, {
    listen: { host: "127.0.0.1", port: 0 },
    logger: running.logger,
    metrics: running.metrics,
    timers: systemTimers,
    ...options,
  });
  onTestFinished(async () => front.close());
  return front;
}

/** Call it at the top of a test file: a test fails when it leaves a socket open, after everything it started was closed. */
export function failOnLeaks(): void {
  beforeEach(() => {
    // Registered first, so that it runs last.
    onTestFinished(async () => {
      await vi.waitFor(() => {
        const open = process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP"));
        if (open.length > 0) throw new Error(`the test left open: ${open.join(", ")}`);
      });
    });
  });
}

/** A gateway that is ready and served, and the port it is served on. */
export async function startServed(
  specs: readonly ConnectorSpec[],
  options: Partial<GatewayOptions> = {},
  http: Partial<ServeHttpOptions> = {},
): Promise<RunningGateway & { readonly front: HttpFront; readonly port: number }> {
  const running = await startGateway(specs, options);
  const front = await startFront(running, http);
  await running.gateway.settled();
  return { ...running, front, port: front.port ?? 0 };
}

const MODERN_META = { [META.protocolVersion]: "2026-07-28", [META.clientCapabilities]: {} };

/** The headers and the body of a modern request. */
export function modernRequest(
  method: string,
  params: JsonObject = {},
  id: string | number = 1,
): { headers: Record<string, string>; body: string } {
  const name = method === "resources/read" ? params["uri"] : params["name"];
  return {
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" ? { "mcp-name": name } : {}),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id, method, params: { _meta: MODERN_META, ...params } }),
  };
}

/** A modern request as bytes, for a connection that a test holds itself. */
export function rawModern(method: string, params: JsonObject = {}, id: string | number = 1): string {
  const { headers, body } = modernRequest(method, params, id);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [
    "POST /mcp HTTP/1.1",
    "host: localhost",
    ...lines,
    `content-length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}

/** Sends a modern request and reads the whole answer. */
export async function askModern(port: number, method: string, params: JsonObject = {}, path = "/mcp"): Promise<Reply> {
  return send({ port, method: "POST", path, ...modernRequest(method, params) });
}

/** Sends any message as a legacy client does. */
export async function askLegacy(
  port: number,
  message: JsonObject,
  headers: Record<string, string> = {},
  path = "/mcp",
): Promise<Reply> {
  return send({
    port,
    method: "POST",
    path,
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body: JSON.stringify(message),
  });
}

/** A legacy client's session. */
export interface LegacyClient {
  readonly id: string;
  readonly headers: Record<string, string>;
  request(id: string | number, method: string, params?: JsonObject): Promise<Reply>;
  notify(method: string, params?: JsonObject): Promise<Reply>;
}

/** Opens a session and says that it is initialized. */
export async function initialize(port: number, revision = "2025-11-25", path = "/mcp"): Promise<LegacyClient> {
  const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: "test", version: "1" } };
  const reply = await askLegacy(port, { jsonrpc: "2.0", id: 0, method: "initialize", params }, {}, path);
  const id = reply.headers["mcp-session-id"];
  if (typeof id !== "string") throw new Error(`no session: ${reply.status} ${reply.text}`);
  const headers = { "mcp-session-id": id, "mcp-protocol-version": revision };
  const client: LegacyClient = {
    id,
    headers,
    request: async (requestId, method, own) =>
      askLegacy(
        port,
        { jsonrpc: "2.0", id: requestId, method, ...(own === undefined ? {} : { params: own }) },
        headers,
        path,
      ),
    notify: async (method, own) =>
      askLegacy(port, { jsonrpc: "2.0", method, ...(own === undefined ? {} : { params: own }) }, headers, path),
  };
  await client.notify("notifications/initialized");
  return client;
}

/** The messages of an event stream, or the one of a JSON answer. */
export function messagesOf({ headers, text }: Pick<Reply, "headers" | "text">): JsonObject[] {
  if (headers["content-type"]?.startsWith("text/event-stream") !== true) return [JSON.parse(text) as JsonObject];
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice("data: ".length)) as JsonObject);
}

/** The last message of an answer. */
export function answerOf(reply: Reply): JsonObject {
  const last = messagesOf(reply).at(-1);
  if (last === undefined) throw new Error(`no message in ${reply.text}`);
  return last;
}
