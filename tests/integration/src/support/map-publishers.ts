import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock, systemTimers } from "@cortex-os/mcp-core";
import { SERVICE_MAP_PATH, serveServiceMap } from "@cortex-os/protocol";
import { onTestFinished } from "vitest";
import { SIGNATURE_KEY } from "./map-text.js";

/** A publisher of service maps in this process. */
export interface MapPublisher {
  /** The map's. */
  readonly url: string;
  readonly port: number;
  /** How often the map was asked for. */
  readonly asked: number;
  /** The environment of a gateway that follows it, a refresh each 100 ms. */
  readonly env: Readonly<Record<string, string>>;
  /** It goes away. Idempotent. */
  close(): Promise<void>;
}

/** The real one, with a manifest of its own. */
export interface RealPublisher extends MapPublisher {
  /** Puts other connectors into the map, with immediate effect. */
  publish(connectors: readonly object[], ttlSeconds?: number): Promise<void>;
}

/** One that answers as a test says. */
export interface SwitchedPublisher extends MapPublisher {
  /** Answers like this from now on. */
  behave(listener: RequestListener): void;
  /** Sends this text from now on. */
  send(body: string): void;
}

/** Publishes a map of these connectors, signed with {@link SIGNATURE_KEY}, until the test is over. */
export async function publishing(
  connectors: readonly object[],
  { port = 0, ttlSeconds = 300 }: { readonly port?: number; readonly ttlSeconds?: number } = {},
): Promise<RealPublisher> {
  const folder = await mkdtemp(join(tmpdir(), "cortex-manifest-"));
  const manifestFile = join(folder, "manifest.json");
  const write = async (entries: readonly object[], seconds: number): Promise<void> =>
    writeFile(manifestFile, JSON.stringify({ brand: "brAInwav", ttlSeconds: seconds, connectors: entries }));
  await write(connectors, ttlSeconds);
  const key = { key: SIGNATURE_KEY };
  const ports = { clock: systemClock, timers: systemTimers, logger: silentLogger };
  const served = await serveServiceMap({ ...ports, manifestFile, key: () => key, port });
  let asked = 0;
  const count = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    if (request.socket.localPort === served.port && request.url === SERVICE_MAP_PATH) asked += 1;
  };
  subscribe("http.server.request.start", count);
  onTestFinished(async () => {
    unsubscribe("http.server.request.start", count);
    await served.close();
    await rm(folder, { recursive: true });
  });
  return {
    ...common(served.url, served.port),
    get asked() {
      return asked;
    },
    publish: async (entries, seconds = ttlSeconds) => {
      await write(entries, seconds);
      await served.reload();
    },
    close: () => served.close(),
  };
}

/** Answers 503 until a test says otherwise, and until it is over. */
export async function switchedPublisher(): Promise<SwitchedPublisher> {
  let asked = 0;
  let answer: RequestListener = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => {
    asked += 1;
    // A gateway that gives up breaks off in the middle.
    response.on("error", () => {});
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  onTestFinished(close);
  const behave = (listener: RequestListener): void => {
    answer = listener;
  };
  return {
    ...common(`http://127.0.0.1:${address.port}${SERVICE_MAP_PATH}`, address.port),
    get asked() {
      return asked;
    },
    behave,
    send: (body) => {
      behave((_request, response) => response.writeHead(200, { "content-type": "application/json" }).end(body));
    },
    close,
  };
}

const common = (url: string, port: number): Pick<MapPublisher, "url" | "port" | "env"> => ({
  url,
  port,
  env: {
    CONNECTORS_SERVICE_MAP_URL: url,
    CONNECTORS_SIGNATURE_KEY: SIGNATURE_KEY,
    MCP_CONNECTOR_REFRESH_INTERVAL_MS: "100",
  },
});
