import { GatewayError } from "@cortex-os/mcp-core";
import {
  classifyMessage,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcRequest,
} from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "../link.js";
import type { Ear, EarEnd, EarListener } from "../listening/ear.js";
import { claimedFeatures, listenFilter } from "../listening/feature-changes.js";
import { listenRefusal } from "../listening/listen-refusal.js";
import { Listening, type ListeningPorts } from "../listening/listening.js";
import { offersSubscriptions } from "../listening/resource-subscriptions.js";
import { EventStream, type StreamEnd } from "./event-stream.js";
import { connectionFailure } from "./failures.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { LegacySession } from "./legacy-session.js";
import { legacyHeaders, modernHeaders, POST_HEADERS, STREAM_HEADERS } from "./request-headers.js";

type Shared = "logger" | "timers" | "monotonic" | "random" | "subscribeMs";
type Told = "onListChanged" | "onNotification" | "onMissed" | "onGone";

/** What {@link listeningTo} needs of a link. */
export interface ListeningToDeps extends Pick<ListeningPorts, Shared | Told> {
  readonly upstream: HttpUpstream;
  readonly facts: UpstreamFacts;
  /** The gateway's own session, with a legacy upstream. */
  readonly control: LegacySession | undefined;
  /** The params of a request of the gateway's own, with the metadata that the era asks for. */
  readonly params: (params: JsonObject) => JsonObject;
  readonly onRequest: (session: LegacySession, request: JsonRpcRequest) => void;
}

/**
 * The stream on which an upstream tells what nobody asked for: `subscriptions/listen` in the modern era, GET in the legacy one.
 *
 * @returns `undefined` when it does not claim to have anything to tell
 */
export function listeningTo(deps: ListeningToDeps): Listening | undefined {
  const { control, facts, upstream } = deps;
  const { capabilities } = facts;
  const features = claimedFeatures(capabilities);
  const logs = facts.era === "legacy" && capabilities["logging"] !== undefined;
  if (features.length === 0 && !logs && !offersSubscriptions(capabilities)) return undefined;
  const past = { hadStream: false };
  return new Listening({
    ...deps,
    key: upstream.key,
    features,
    acknowledges: facts.era === "modern",
    open:
      control === undefined
        ? (uris, listener) => listenOver(deps, listenFilter(features, uris), listener)
        : (_, listener) => getStream(deps, control, past, listener),
  });
}

function listenOver(
  { facts, params, upstream }: ListeningToDeps,
  notifications: JsonObject,
  listener: EarListener,
): Ear {
  const stream: EventStream = new EventStream(upstream.key, {
    onOpen: () => listener.onOpen(),
    onMessage({ kind, message }) {
      if (kind === "notification") listener.onNotification(message);
      if (kind !== "response") return;
      // The answer to the request is the end of the subscription.
      stream.stop();
      listener.onEnd("error" in message ? refusedBy(upstream.key, message.error) : { kind: "ended" });
    },
    onEnd: (end) => listener.onEnd(earEnd(upstream.key, end)),
  });
  const method = "subscriptions/listen";
  const asked = params({ notifications });
  const body = JSON.stringify({ jsonrpc: "2.0", id: upstream.nextId(), method, params: asked });
  const headers = [...POST_HEADERS, ...modernHeaders(facts.revision, method, asked)];
  upstream.dispatch({ method: "POST", headers, body, lane: "streams" }, stream);
  return { close: () => stream.stop() };
}

function getStream(
  { onRequest, upstream }: ListeningToDeps,
  control: LegacySession,
  past: { hadStream: boolean },
  listener: EarListener,
): Ear {
  let sessionId: string | undefined;
  const stream = new EventStream(upstream.key, {
    onOpen() {
      past.hadStream = true;
      listener.onOpen();
    },
    onMessage({ kind, message }) {
      if (kind === "notification") listener.onNotification(message);
      else if (kind === "request") onRequest(control, message);
    },
    onEnd(end) {
      const judged = earEnd(upstream.key, end);
      // A server that had a stream for us and has none any more has forgotten the session.
      if (judged.kind === "refused" && past.hadStream && sessionId !== undefined) control.lost(sessionId);
      listener.onEnd(judged);
    },
  });
  control.whenOpen((error) => {
    const { facts } = control;
    if (error !== undefined || facts === undefined) {
      stream.onResponseError(undefined, error ?? new Error("no session"));
      return;
    }
    sessionId = facts.id;
    upstream.dispatch(
      { method: "GET", headers: [...STREAM_HEADERS, ...legacyHeaders(facts)], lane: "streams" },
      stream,
    );
  });
  return { close: () => stream.stop() };
}

/** Statuses that say nothing about the request: asking again may help. */
const isTransient = (status: number): boolean => status >= 500 || status === 429 || status === 408;

function earEnd(key: string, end: StreamEnd): EarEnd {
  if (end.kind === "ended" || (end.kind === "refused" && isTransient(end.status))) return { kind: "ended" };
  if (end.kind === "refused") return refusedBy(key, errorIn(end.text) ?? end.status);
  const { error } = end;
  return { kind: "gone", error: GatewayError.is(error) ? error : connectionFailure(key, error, false) };
}

const refusedBy = (key: string, why: JsonRpcErrorObject | number): EarEnd => ({
  kind: "refused",
  error: listenRefusal(key, why),
});

function errorIn(text: string): JsonRpcErrorObject | undefined {
  try {
    const classified = classifyMessage(JSON.parse(text));
    return classified.kind === "response" && "error" in classified.message ? classified.message.error : undefined;
  } catch {
    return undefined;
  }
}
