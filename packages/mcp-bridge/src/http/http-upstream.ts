import { GatewayError, type ConnectorTimeouts, type Logger } from "@cortex-os/mcp-core";
import { Pool, type Dispatcher } from "undici";
import { connectorName } from "./failures.js";
import { configuredHeaders, type FlatHeaders } from "./request-headers.js";

/** Sockets for calls to one upstream; more calls than that wait in line. */
const CALL_CONNECTIONS = 128;
/** Sockets for long streams: the gateway holds one or two per upstream. */
const STREAM_CONNECTIONS = 16;

/** What one HTTP exchange asks for. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Beside the configured ones. */
  readonly headers: FlatHeaders;
  readonly body?: string;
  /** Streams have sockets of their own: ten of them must not starve the calls. */
  readonly lane: "calls" | "streams";
}

/** Where an upstream is and what it gets with every request. */
export interface HttpTarget {
  readonly key: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: ConnectorTimeouts;
}

/**
 * The sockets towards one upstream. They are its own (a slow upstream takes nobody else's, and no socket is shared between
 * two credentials) unless a dispatcher was injected, which is used for everything and left open.
 */
export class HttpUpstream {
  readonly key: string;
  readonly #origin: string;
  readonly #path: string;
  readonly #headers: FlatHeaders;
  readonly #calls: Dispatcher;
  readonly #streams: Dispatcher;
  readonly #owned: readonly Dispatcher[];
  #destroyed: Promise<void> | undefined;
  #lastId = 0;

  /** @throws GatewayError UPSTREAM_UNAVAILABLE when the URL or a configured header cannot be used; values are not shown */
  constructor(target: HttpTarget, logger: Logger, agent?: Dispatcher) {
    const { key } = target;
    this.key = key;
    const url = parseUrl(target);
    const { headers, reserved, invalid } = configuredHeaders(target.headers, url);
    if (invalid.length > 0) {
      const message = `${connectorName(key)} has headers that HTTP cannot carry: ${JSON.stringify(invalid)}; correct their names or values`;
      throw new GatewayError("UPSTREAM_UNAVAILABLE", message);
    }
    if (reserved.length > 0)
      logger.warn({ connectorId: key, headers: reserved }, "Configured headers that MCP or HTTP sets were left out");
    this.#origin = url.origin;
    this.#path = url.pathname + url.search;
    this.#headers = headers;
    if (agent !== undefined) {
      this.#calls = this.#streams = agent;
      this.#owned = [];
      return;
    }
    // undici's own limits on headers and body are off: deadlines are the exchange's, through the Timers port.
    const common = { pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connectTimeout: target.timeouts.connectMs };
    this.#calls = new Pool(this.#origin, { ...common, connections: CALL_CONNECTIONS });
    this.#streams = new Pool(this.#origin, { ...common, connections: STREAM_CONNECTIONS });
    this.#owned = [this.#calls, this.#streams];
  }

  /** A request id that no other request to this upstream has. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Starts one exchange. Never throws: what goes wrong reaches `handler.onResponseError`. Redirects are answers like others. */
  dispatch(request: HttpRequest, handler: Dispatcher.DispatchHandler): void {
    const dispatcher = request.lane === "calls" ? this.#calls : this.#streams;
    dispatcher.dispatch(
      {
        origin: this.#origin,
        path: this.#path,
        method: request.method,
        headers: [...this.#headers, ...request.headers],
        body: request.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      handler,
    );
  }

  /** Closes the sockets that are this upstream's own; what is in flight breaks. Idempotent. */
  destroy(): Promise<void> {
    this.#destroyed ??= Promise.all(this.#owned.map((pool) => pool.destroy())).then(() => {});
    return this.#destroyed;
  }
}

function parseUrl({ key, url }: HttpTarget): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return parsed;
  throw new GatewayError(
    "UPSTREAM_UNAVAILABLE",
    `${connectorName(key)} has no usable address: it must be an http or https URL`,
  );
}
