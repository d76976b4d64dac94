import { GatewayError } from "@cortex-os/mcp-core";
import { connectorName } from "../http/failures.js";
import { HttpTransport } from "../http/http-transport.js";
import type { Link, LinkDeps } from "../link.js";
import { StdioLink } from "../stdio/stdio-link.js";
import { ANSWERED } from "./exchange.js";
import type { ForwardedResponse, ForwardRequest } from "./forward.js";
import type { ResolvedOptions } from "./remote-proxy-options.js";

/** Makes the links of one connector, one after another, and keeps what outlives them. */
export interface Transport {
  readonly kind: "http" | "stdio" | "unsupported";
  /** Whether a link that did not open may open another time. */
  readonly retryable: boolean;
  link(deps: LinkDeps): Link;
  /** For sessions that outlive a link; a living link is told by itself. */
  endSession(sessionKey: string): void;
  forward(request: ForwardRequest): Promise<ForwardedResponse>;
  close(): Promise<void>;
}

/** The transport that a connector's spec asks for. Never throws: what cannot work has links that do not open. */
export function transportFor(options: ResolvedOptions): Transport {
  const { spec } = options;
  const { transport } = spec;
  if (transport.kind === "stdio") return stdioTransport(options);
  if (transport.kind === "unsupported") return brokenTransport("unsupported", unsupported(spec.key, transport.reason));
  try {
    const { url, headers, publicOnly = false, sse = false } = transport;
    const { authorization } = options;
    const target = {
      ...{ key: spec.key, url, headers, publicOnly, sse, timeouts: spec.timeouts },
      ...(authorization === undefined ? {} : { authorization }),
    };
    const http = new HttpTransport({ ...options, target });
    return {
      kind: "http",
      retryable: true,
      link: (deps) => http.link(deps),
      endSession: (sessionKey) => http.endSession(sessionKey),
      forward: (request) => http.forward(request),
      close: () => http.close(),
    };
  } catch (error) {
    return brokenTransport("http", GatewayError.from(error, "INTERNAL", `${connectorName(spec.key)} cannot be set up`));
  }
}

function stdioTransport({ spec: { key, isolation }, idleMs }: ResolvedOptions): Transport {
  const isolating = { current: isolation };
  return {
    kind: "stdio",
    retryable: true,
    link: (deps) => new StdioLink(deps, { isolation: isolating, idleMs }),
    endSession: () => {},
    forward: () => Promise.reject(unsupported(key, "only HTTP connectors forward raw requests")),
    close: () => Promise.resolve(),
  };
}

function brokenTransport(kind: Transport["kind"], error: GatewayError): Transport {
  const link: Link = {
    open: () => Promise.reject(error),
    send(_, sink) {
      sink.fail(error);
      return ANSWERED;
    },
    request: () => Promise.reject(error),
    subscribe: () => Promise.reject(error),
    unsubscribe: () => Promise.resolve(),
    setLogLevel: () => {},
    hearsChanges: false,
    tellOfClient: () => {},
    endSession: () => {},
    close: () => Promise.resolve(),
  };
  return {
    kind,
    retryable: false,
    link: () => link,
    endSession: () => {},
    forward: () => Promise.reject(error),
    close: () => Promise.resolve(),
  };
}

const unsupported = (key: string, reason: string): GatewayError =>
  new GatewayError("UPSTREAM_UNAVAILABLE", `${connectorName(key)} cannot be used: ${reason}`);
