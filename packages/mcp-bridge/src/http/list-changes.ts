import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "../link.js";
import { claimsToolChanges } from "../tool-changes.js";
import type { EventStream } from "./event-stream.js";
import { connectionFailure } from "./failures.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { LegacySession } from "./legacy-session.js";
import { Listening, type ListeningPorts } from "./listening.js";
import { legacyHeaders, modernHeaders, POST_HEADERS, STREAM_HEADERS } from "./request-headers.js";

/** What {@link changesOf} needs of a link. */
export interface ChangesDeps extends Pick<
  ListeningPorts,
  "logger" | "timers" | "monotonic" | "random" | "onListChanged" | "onNotification"
> {
  readonly upstream: HttpUpstream;
  readonly facts: UpstreamFacts;
  /** The gateway's own session, with a legacy upstream. */
  readonly control: LegacySession | undefined;
  /** The params of `subscriptions/listen`, with a modern upstream. */
  readonly params: JsonObject;
  onRequest(session: LegacySession, request: JsonRpcRequest): void;
  onUnreachable(error: GatewayError): void;
}

/**
 * The stream on which an upstream tells that its tools changed: `subscriptions/listen` in the modern era, GET in the
 * legacy one.
 *
 * @returns `undefined` when it does not claim to tell
 */
export function changesOf(deps: ChangesDeps): Listening | undefined {
  const { control, facts, upstream } = deps;
  if (!claimsToolChanges(facts.capabilities)) return undefined;
  return new Listening({
    key: upstream.key,
    logger: deps.logger,
    timers: deps.timers,
    monotonic: deps.monotonic,
    random: deps.random,
    acknowledges: facts.era === "modern",
    open: control === undefined ? (stream) => listen(deps, stream) : (stream) => get(deps, control, stream),
    onListChanged: () => deps.onListChanged(),
    onNotification: (notification) => deps.onNotification(notification),
    onRequest: (request) => {
      if (control !== undefined) deps.onRequest(control, request);
    },
    onUnreachable: (error) => {
      deps.onUnreachable(GatewayError.is(error) ? error : connectionFailure(upstream.key, error, false));
    },
    onRefused(status, _, wasOpen) {
      if (status >= 500 || status === 429 || status === 408) return "retry";
      if (!wasOpen) return "give-up";
      const id = control?.facts?.id;
      if (id !== undefined) control?.lost(id);
      return "retry";
    },
  });
}

function listen({ facts, params, upstream }: ChangesDeps, stream: EventStream): void {
  const method = "subscriptions/listen";
  const body = JSON.stringify({ jsonrpc: "2.0", id: upstream.nextId(), method, params });
  const headers = [...POST_HEADERS, ...modernHeaders(facts.revision, method, params)];
  upstream.dispatch({ method: "POST", headers, body, lane: "streams" }, stream);
}

function get({ upstream }: ChangesDeps, control: LegacySession, stream: EventStream): void {
  control.whenOpen((error) => {
    const { facts } = control;
    if (error !== undefined || facts === undefined) {
      stream.onResponseError(undefined, error ?? new Error("no session"));
      return;
    }
    const headers = [...STREAM_HEADERS, ...legacyHeaders(facts)];
    upstream.dispatch({ method: "GET", headers, lane: "streams" }, stream);
  });
}
