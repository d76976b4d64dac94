import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { connectorName } from "../http/failures.js";
import type { LinkDeps, UpstreamFacts } from "../link.js";
import { claimedFeatures, hearsAll, listenFilter } from "../listening/feature-changes.js";
import { Listening } from "../listening/listening.js";
import { RequestedResources } from "../listening/requested-resources.js";
import {
  noSubscriptions,
  offersSubscriptions,
  resourceUpdated,
  type ResourceSubscriptions,
} from "../listening/resource-subscriptions.js";
import type { Serving } from "./lane.js";
import { ListenEars } from "./listen-ears.js";
import { modernMeta } from "../modern-meta.js";
import { tellOf } from "./tell-of.js";

/** What a {@link SharedVoice} works through. */
export interface SharedVoiceDeps {
  readonly link: LinkDeps;
  readonly clientInfo: JsonObject;
  /** A request of the gateway's own. @throws GatewayError as `Link.request` */
  readonly ask: (method: string, params: JsonObject) => Promise<unknown>;
}

/** What the peer that all share tells outside of requests. */
export class SharedVoice {
  readonly resources: ResourceSubscriptions;
  readonly #deps: SharedVoiceDeps;
  readonly #facts: UpstreamFacts;
  readonly #ears: ListenEars;
  /** A modern child tells only what it was asked for. */
  readonly #listening: Listening | undefined;

  constructor({ peer, facts }: Serving, deps: SharedVoiceDeps) {
    const { logger, spec } = deps.link;
    this.#deps = deps;
    this.#facts = facts;
    this.#ears = new ListenEars(spec.key, peer.channel);
    this.#listening = facts.era === "modern" ? this.#listeningTo(facts) : undefined;
    if (!offersSubscriptions(facts.capabilities)) this.resources = noSubscriptions(connectorName(spec.key));
    else this.resources = this.#listening ?? new RequestedResources({ key: spec.key, logger, ask: deps.ask });
  }

  /** Whether a change of any list would be heard of right now. */
  get hearsChanges(): boolean {
    const { capabilities, era } = this.#facts;
    const claimed = claimedFeatures(capabilities);
    // A legacy server tells unasked: its word is all there is.
    return hearsAll(capabilities, (feature) =>
      era === "modern" ? this.#listening?.hears(feature) === true : claimed.includes(feature),
    );
  }

  start(): void {
    this.#listening?.start();
  }

  /** It is not heard any more. Idempotent. */
  stop(error: GatewayError): void {
    this.#listening?.stop(error);
  }

  /** Takes what belongs to no request. @param sessionKey the client session that it is for alone */
  take(notification: JsonRpcNotification, sessionKey?: string): void {
    const { era } = this.#facts;
    if (era === "legacy" || !this.#ears.take(notification))
      tellOf(notification, era, this.#deps.link.events, sessionKey);
  }

  #listeningTo({ capabilities, revision }: UpstreamFacts): Listening | undefined {
    const { clientInfo, link } = this.#deps;
    const { events, spec } = link;
    const features = claimedFeatures(capabilities);
    if (features.length === 0 && !offersSubscriptions(capabilities)) return undefined;
    return new Listening({
      ...link,
      key: spec.key,
      features,
      acknowledges: true,
      subscribeMs: spec.timeouts.listMs,
      open: (uris, listener) => {
        const notifications = listenFilter(features, uris);
        return this.#ears.open({ _meta: modernMeta(revision, clientInfo), notifications }, listener);
      },
      onListChanged: (feature) => events.onListChanged(feature),
      onNotification: (notification) => events.onNotification(notification),
      onMissed: () => {
        for (const feature of features) events.onListChanged(feature);
        for (const uri of this.resources.uris) events.onNotification(resourceUpdated(uri));
      },
    });
  }
}
