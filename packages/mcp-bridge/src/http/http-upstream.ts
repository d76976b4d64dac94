import { GatewayError, type ConnectorTimeouts, type Logger } from "@cortex-os/mcp-core";
import type { Dispatcher } from "undici";
import { mayBePublicHost } from "../address/public-address.js";
import { publicOnlyLookup, type LookupAll } from "../address/public-only-lookup.js";
import { AuthorizedRequest, type AuthorizedSender } from "./authorized-request.js";
import { connectorName, NOT_PUBLIC_REASON } from "./failures.js";
import { CONNECTIONS, Lanes, type Lane } from "./lanes.js";
import { loadPools, poolsNow } from "./pools.js";
import { configuredHeaders, type FlatHeaders } from "./request-headers.js";
import type { ResponseReader } from "./response-reader.js";
import type { UpstreamAuthorization } from "./upstream-authorization.js";

/** What one HTTP exchange asks for. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Beside the configured ones. */
  readonly headers: FlatHeaders;
  readonly body?: string;
  readonly lane: Lane;
  /** Path and query, of the upstream's own origin: no request can be sent to another. @default those of its address */
  readonly path?: string;
}

/** Where an upstream is and what it gets with every request. */
export interface HttpTarget {
  readonly key: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: ConnectorTimeouts;
  /** Whether only public addresses may be connected to; see `ConnectorTransport`. @default false */
  readonly publicOnly?: boolean;
  /** Whether only the old HTTP+SSE transport will do; see `ConnectorTransport`. @default false */
  readonly sse?: boolean;
  /** Asked for the `authorization` of every request, unless the headers have one. @default none */
  readonly authorization?: UpstreamAuthorization;
}

/**
 * The sockets towards one upstream. They are its own (a slow upstream takes nobody else's, and no socket is shared between
 * two credentials) unless a dispatcher was injected, which is used for everything and left open. For a target that is `publicOnly` none is used: nobody
 * could say what another's sockets connect to.
 */
export class HttpUpstream implements AuthorizedSender<HttpRequest> {
  readonly key: string;
  readonly #origin: string;
  readonly #path: string;
  readonly #headers: FlatHeaders;
  readonly #authorization: UpstreamAuthorization | undefined;
  readonly #lanes: Lanes;
  #lastId = 0;

  /**
   * @param lookupAll what a target that is `publicOnly` is looked up with, for tests @default the machine's resolver
   * @throws GatewayError UPSTREAM_UNAVAILABLE when the URL or a configured header cannot be used, or the address is not public and has to be; values are not shown
   */
  constructor(target: HttpTarget, logger: Logger, agent?: Dispatcher, lookupAll?: LookupAll) {
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
    this.#authorization = headers.includes("authorization") ? undefined : target.authorization;
    if (target.publicOnly === true && !mayBePublicHost(url.hostname))
      throw new GatewayError("UPSTREAM_UNAVAILABLE", `${connectorName(key)} is not reached: ${NOT_PUBLIC_REASON}`);
    if (agent !== undefined && target.publicOnly !== true) {
      this.#lanes = new Lanes(() => agent, false);
      return;
    }
    // undici's own limits on headers and body are off: deadlines are the exchange's, through the Timers port.
    const common = { pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connectTimeout: target.timeouts.connectMs };
    const guard = target.publicOnly === true ? { connect: { lookup: publicOnlyLookup(lookupAll) } } : {};
    this.#lanes = new Lanes(
      (lane) => poolsNow()?.(this.#origin, { ...common, ...guard, connections: CONNECTIONS[lane] }),
      true,
    );
  }

  /** Where it is, without user name and password. */
  get address(): string {
    return this.#origin + this.#path;
  }

  /** A request id that no other request to this upstream has. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Starts one exchange. Never throws: what goes wrong reaches `reader.onError`. Redirects are answers like others. */
  dispatch(request: HttpRequest, reader: ResponseReader): void {
    if (this.#authorization === undefined) {
      this.send(request, undefined, reader);
      return;
    }
    new AuthorizedRequest(this.#authorization, this, request, reader).send();
  }

  /** As {@link dispatch}, with this `authorization` and no other. */
  send(request: HttpRequest, authorization: string | undefined, reader: ResponseReader): void {
    const dispatcher = this.#lanes.of(request.lane);
    if (dispatcher === undefined) {
      this.#sendWhenLoaded(request, authorization, reader);
      return;
    }
    const headers = this.#headers.concat(request.headers);
    if (authorization !== undefined) headers.push("authorization", authorization);
    dispatcher.dispatch(
      {
        origin: this.#origin,
        path: request.path ?? this.#path,
        method: request.method,
        headers,
        body: request.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      reader,
    );
  }

  #sendWhenLoaded(request: HttpRequest, authorization: string | undefined, reader: ResponseReader): void {
    loadPools().then(
      () => {
        this.send(request, authorization, reader);
      },
      (error: unknown) => {
        reader.onError(GatewayError.from(error, "INTERNAL", "HTTP cannot be loaded"));
      },
    );
  }

  /** Closes the sockets that are this upstream's own; what is in flight breaks. Idempotent. */
  destroy(): Promise<void> {
    return this.#lanes.destroy();
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
