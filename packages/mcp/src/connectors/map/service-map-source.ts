import type { ConnectorSpec, Logger } from "@cortex-os/mcp-core";
import type { ServiceMapPayload } from "@cortex-os/protocol";
import type { ConnectorSource, SourceState, SpecsListener } from "../connector-source.js";
import { specsOfMap, type MapPolicy } from "./map-policy.js";
import type { ServiceMapFollower } from "./service-map-follower.js";

/** What the source needs of what follows the service map. */
export type FollowedServiceMap = Pick<
  ServiceMapFollower,
  "subscribe" | "load" | "sync" | "refresh" | "inForce" | "expired" | "lastFailure" | "isFresh" | "status" | "stop"
>;

/** How a service map becomes a source of connectors. */
export interface ServiceMapSourceOptions {
  /** The source's own from now on: closing the source stops it. */
  readonly follower: FollowedServiceMap;
  /** What local configuration says about the connectors of a map. */
  readonly policy: (payload: ServiceMapPayload) => Omit<MapPolicy, "logger">;
  readonly logger: Logger;
}

const FIRST_FETCH = "the service map is being fetched for the first time";
const TOO_OLD = "the service map that names it is too old to be used, and there is no newer one";
const UNPIN = "follow the newest again with `cortex-mcp map pin --off`";
const PINNED_TOO_OLD = `the pinned service map that names it is too old to be used: ${UNPIN}`;

/**
 * The service map as a source of connectors. What is persisted is told at once and the newest fetched behind it; with nothing persisted the source settles when the first
 * attempt has ended, and only lists wait for that (R4, R6). The connectors of a map that is too old to be used are down with that reason.
 */
export function serviceMapSource(options: ServiceMapSourceOptions): ConnectorSource {
  return new ServiceMapSource(options);
}

/** The specs of one map, made once: what the policy has to say against it is logged once. */
interface KnownSpecs {
  readonly payload: ServiceMapPayload;
  readonly specs: readonly ConnectorSpec[];
}

class ServiceMapSource implements ConnectorSource {
  readonly origin = "map";
  readonly #options: ServiceMapSourceOptions;
  readonly #follower: FollowedServiceMap;
  readonly #onDemand: boolean;
  #listener: SpecsListener = () => {};
  #unsubscribe: () => void = () => {};
  #known: KnownSpecs | undefined;
  #settling = false;
  #closed = false;

  constructor(options: ServiceMapSourceOptions) {
    this.#options = options;
    this.#follower = options.follower;
    this.#onDemand = options.follower.status().mode === "synchronous";
  }

  async start(listener: SpecsListener): Promise<void> {
    this.#listener = listener;
    await this.#follower.load();
    if (this.#closed) return;
    this.#settling = this.#follower.inForce === undefined;
    this.#unsubscribe = this.#follower.subscribe(() => {
      this.#tell();
    });
    this.#tell();
    // Behind the caller's back: a publisher that hangs must not keep the registry's connectors waiting.
    void this.#attempted(this.#follower.sync(true));
  }

  async reload(): Promise<void> {
    if (!this.#closed) await this.#attempted(this.#follower.refresh());
  }

  freshen(): Promise<void> | undefined {
    if (!this.#onDemand || this.#closed || this.#follower.isFresh) return undefined;
    return this.#attempted(this.#follower.sync());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    await this.#follower.stop();
  }

  /** Never rejects: the follower logs a failure, and it is told as the source's problem. */
  async #attempted(attempt: Promise<void>): Promise<void> {
    await Promise.allSettled([attempt]);
    this.#settling = false;
    this.#tell();
  }

  #tell(): void {
    if (this.#closed) return;
    const { inForce, expired } = this.#follower;
    if (inForce !== undefined) this.#settling = false;
    const specs = this.#specsOf(inForce ?? expired);
    const reason = this.#isPinned ? PINNED_TOO_OLD : TOO_OLD;
    this.#listener(inForce === undefined ? specs.map((spec) => unsupported(spec, reason)) : specs, this.#state());
  }

  get #isPinned(): boolean {
    return this.#follower.status().pinned !== undefined;
  }

  #specsOf(payload: ServiceMapPayload | undefined): readonly ConnectorSpec[] {
    if (payload === undefined) return [];
    if (this.#known?.payload !== payload) {
      const { policy, logger } = this.#options;
      this.#known = { payload, specs: specsOfMap(payload, { ...policy(payload), logger }) };
    }
    return this.#known.specs;
  }

  #state(): SourceState {
    if (this.#settling) return { problem: FIRST_FETCH, settling: true };
    const { inForce, expired, lastFailure } = this.#follower;
    const why = lastFailure === undefined ? "" : `: ${lastFailure.reason}`;
    if (expired !== undefined && this.#isPinned)
      return { problem: `the pinned service map is too old to be used: ${UNPIN}` };
    if (expired !== undefined)
      return { problem: `the service map is too old to be used, and there is no newer one${why}` };
    if (inForce === undefined) return { problem: `there is no service map${why}` };
    return lastFailure === undefined
      ? {}
      : { problem: `the service map cannot be refreshed${why}; the last one stays` };
  }
}

const unsupported = (spec: ConnectorSpec, reason: string): ConnectorSpec => ({
  ...spec,
  transport: { kind: "unsupported", reason },
});
