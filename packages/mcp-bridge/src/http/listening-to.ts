import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "../link.js";
import type { Ear, EarListener } from "../listening/ear.js";
import { claimedFeatures, listenFilter } from "../listening/feature-changes.js";
import { listenRefusal } from "../listening/listen-refusal.js";
import { Listening, type ListeningPorts } from "../listening/listening.js";
import { offersSubscriptions } from "../listening/resource-subscriptions.js";
import { earEnd } from "./ear-end.js";
import { EventStream } from "./event-stream.js";
import { getStreams, type GetStreamDeps } from "./get-stream.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { LegacySession } from "./legacy-session.js";
import { modernPostHeaders } from "./request-headers.js";

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
  readonly questions: GetStreamDeps["questions"];
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
  const getStream = control === undefined ? undefined : getStreams({ ...deps, session: control, lane: "streams" });
  return new Listening({
    ...deps,
    key: upstream.key,
    features,
    acknowledges: facts.era === "modern",
    open: (uris, listener) =>
      getStream === undefined ? listenOver(deps, listenFilter(features, uris), listener) : getStream(listener),
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
      if (!("error" in message)) listener.onEnd({ kind: "ended" });
      else listener.onEnd({ kind: "refused", error: listenRefusal(upstream.key, message.error) });
    },
    onEnd: (end) => listener.onEnd(earEnd(upstream.key, end)),
  });
  const method = "subscriptions/listen";
  const asked = params({ notifications });
  const body = JSON.stringify({ jsonrpc: "2.0", id: upstream.nextId(), method, params: asked });
  const headers = modernPostHeaders(facts.revision, method, asked);
  upstream.dispatch({ method: "POST", headers, body, lane: "streams" }, stream);
  return { close: () => stream.stop() };
}
