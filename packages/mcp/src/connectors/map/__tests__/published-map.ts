import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemRandom, systemTimers, type Clock } from "@cortex-os/mcp-core";
import { RecordingLogger, type ManualTime } from "@cortex-os/mcp-core/testing";
import {
  KeyRing,
  serveServiceMap,
  signingKeyFromSecret,
  type PublishedConnector,
  type ServedServiceMap,
} from "@cortex-os/protocol";
import { Agent } from "undici";
import { onTestFinished } from "vitest";
import { startGateway, type RunningGateway } from "../../../__tests__/support/gateway.js";
import type { Gateway } from "../../../gateway/gateway.js";
import type { GatewayOptions } from "../../../gateway/gateway-options.js";
import { createMetrics } from "../../../telemetry/metrics.js";
import type { ConnectorSource } from "../../connector-source.js";
import { ServiceMapFollower, type ServiceMapFollowerOptions } from "../service-map-follower.js";
import { serviceMapSource } from "../service-map-source.js";
import { entryOf } from "./map-payload.js";

const SECRET = "a signature key of more than thirty-two bytes";

/** The credential of the map's connectors, which nothing but their own requests may show. */
export const CONNECTORS_KEY = "s3cret-connectors-key";

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-"));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A connector of a map, reached over HTTP at `url`. */
export const entryAt = (id: string, url: string, more: Partial<PublishedConnector> = {}): PublishedConnector =>
  entryOf(id, { endpoint: url, ...more });

/** A real publisher that can go away and come back at the same address. */
export class Publisher {
  readonly #manifestFile: string;
  readonly #clock: Clock;
  #served: ServedServiceMap | undefined;
  #port = 0;
  #url = "";

  private constructor(manifestFile: string, clock: Clock) {
    this.#manifestFile = manifestFile;
    this.#clock = clock;
  }

  static async start(clock: Clock, connectors: readonly PublishedConnector[]): Promise<Publisher> {
    const publisher = new Publisher(path.join(await temporaryFolder(), "manifest.json"), clock);
    await publisher.publish(...connectors);
    await publisher.comeBack();
    onTestFinished(async () => publisher.goAway());
    return publisher;
  }

  /** The map's URL, also while it is away. */
  get url(): string {
    return this.#url;
  }

  async publish(...connectors: readonly PublishedConnector[]): Promise<void> {
    await writeFile(this.#manifestFile, JSON.stringify({ brand: "brAInwav", ttlSeconds: 300, connectors }));
    await this.#served?.reload();
  }

  async goAway(): Promise<void> {
    await this.#served?.close();
    this.#served = undefined;
  }

  async comeBack(): Promise<void> {
    this.#served = await serveServiceMap({
      manifestFile: this.#manifestFile,
      key: () => signingKeyFromSecret(SECRET),
      port: this.#port,
      clock: this.#clock,
      timers: systemTimers,
      logger: new RecordingLogger(),
    });
    this.#port = this.#served.port;
    this.#url = this.#served.url;
  }
}

/** A gateway that follows a publisher's map, in the test's own time. */
export interface FollowingGateway extends RunningGateway {
  readonly follower: ServiceMapFollower;
  /** What the map's source and the publisher go by; the connectors live in real time. */
  readonly time: ManualTime;
}

/** What a test says about a {@link FollowingGateway}. */
export interface FollowingOptions {
  readonly follower?: Partial<ServiceMapFollowerOptions>;
  readonly registry?: readonly ConnectorSource[];
  readonly gateway?: Partial<GatewayOptions>;
  readonly origins?: { readonly credentialOrigins?: readonly string[]; readonly allowedOrigins?: readonly string[] };
}

/** A service map that is followed in the test's own time, and the source that it is. Whoever closes the source stops it. */
export function followed(
  url: string,
  time: ManualTime,
  { follower: given, origins = {} }: Pick<FollowingOptions, "follower" | "origins"> = {},
): { readonly follower: ServiceMapFollower; readonly source: ConnectorSource } {
  const logger = given?.logger ?? new RecordingLogger();
  const agent = new Agent();
  onTestFinished(async () => agent.close());
  const follower = new ServiceMapFollower({
    serviceMapUrl: url,
    keys: async () => KeyRing.fromSecret(SECRET),
    agent,
    flags: { asyncRefresh: true, refreshIntervalMs: 60_000 },
    logger,
    clock: time,
    monotonic: time,
    timers: time,
    random: systemRandom,
    ...given,
  });
  const policy = { mapOrigin: new URL(url).origin, origins, connectorsApiKey: CONNECTORS_KEY };
  return { follower, source: serviceMapSource({ follower, policy: () => policy, logger }) };
}

/** Starts one; it is closed with the test. */
export async function follow(url: string, time: ManualTime, options: FollowingOptions = {}): Promise<FollowingGateway> {
  const logger = new RecordingLogger();
  const metrics = createMetrics();
  const { follower, source } = followed(url, time, {
    ...options,
    follower: { logger, onFetch: metrics.serviceMapFetched, ...options.follower },
  });
  const sources = [...(options.registry ?? []), source];
  const running = await startGateway([], { sources, serviceMap: follower, logger, metrics, ...options.gateway });
  return { ...running, logger, metrics, follower, time };
}

/** The state of every connector that a gateway shows, with where it was named. */
export const statesOf = (gateway: Gateway): Record<string, string> =>
  Object.fromEntries(gateway.status().connectors.map(({ key, source, state }) => [`${key} (${source})`, state]));

/** Which connectors have tools in the catalog. */
export const offering = (gateway: Gateway): string[] => [...new Set(gateway.tools().map(({ connector }) => connector))];
