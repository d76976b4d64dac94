import { createHash } from "node:crypto";
import type { KeyRing, ServiceMapPayload } from "@cortex-os/protocol";
import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { afterEach, beforeEach } from "vitest";
import type { FetchLike } from "../../fetch-like.js";
import { memoryServiceMapStore } from "../service-map-store.js";
import { ServiceMapFollower, type FetchOutcome, type ServiceMapFollowerOptions } from "../service-map-follower.js";
import type { ServiceMapStore } from "../stored-service-maps.js";
import { ring, signedBody, START, type MapWishes } from "./map-set-up.js";

const URL_TOKEN = "a-token-that-no-message-may-show";
export const INTERVAL = 300_000;
export const TTL = 300_000;
export const DAY = 24 * 3_600_000;

/** A publisher at the other end of `fetchImpl`, which is the plan's own seam. */
class TestPublisher {
  body = "";
  /** Sent instead, under the ETag of the real one: what a faulty cache in between may do. */
  bodyUnderItsETag: string | undefined;
  requests = 0;
  /** What it was asked for conditionally. */
  readonly conditions: (string | undefined)[] = [];
  /** What its `ETag` names: by rights this signing; here and there the connectors only. */
  etagNames: "signing" | "connectors" = "signing";
  /** What it does instead of publishing. */
  trouble: "none" | "down" | "hangs" | "500" | "only 304" = "none";
  aborted = 0;
  readonly #time: ManualTime;

  constructor(time: ManualTime) {
    this.#time = time;
  }

  #held: Promise<void> | undefined;

  /** Requests get no answer until the returned function is called. */
  holdAnswers(): () => void {
    let release = (): void => {};
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** Publishes a map that is signed now. */
  publish(wishes: MapWishes = {}): void {
    this.body = signedBody({ atMs: this.#time.now(), ...wishes });
  }

  readonly fetch: FetchLike = async (_url, { headers, signal }) => {
    this.requests += 1;
    const { body: published } = this;
    const body = this.bodyUnderItsETag ?? published;
    await this.#held;
    this.conditions.push(headers["If-None-Match"]);
    if (this.trouble === "down") throw new TypeError("fetch failed");
    if (this.trouble === "hangs") {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          this.aborted += 1;
          reject(new DOMException("aborted", "AbortError"));
        });
      });
    }
    const named = this.etagNames === "signing" ? published : published.replace(/^.*"connectors":|"signature".*$/g, "");
    const etag = `"${createHash("sha256").update(named).digest("hex")}"`;
    const get = (name: string): string | null =>
      name.toLowerCase() === "etag" ? etag : name.toLowerCase() === "content-type" ? "application/json" : null;
    if (this.trouble === "500") return { status: 500, headers: { get }, text: async () => "oops" };
    if (headers["If-None-Match"] === etag || this.trouble === "only 304")
      return { status: 304, headers: { get }, text: async () => "" };
    return { status: 200, headers: { get }, text: async () => body };
  };
}

/** One gateway's follower and all it works through. */
export class Rig {
  readonly time = new ManualTime(START);
  readonly logger = new RecordingLogger();
  readonly publisher = new TestPublisher(this.time);
  readonly outcomes: FetchOutcome[] = [];
  keys: KeyRing = ring();
  store: ServiceMapStore = memoryServiceMapStore();
  readonly #followers: ServiceMapFollower[] = [];

  /** Another follower on the same store, as after a restart; the ones before it go on until {@link end}. */
  follow(changes: Partial<ServiceMapFollowerOptions> = {}): ServiceMapFollower {
    const { time, logger, store } = this;
    const follower = new ServiceMapFollower({
      serviceMapUrl: `https://maps.example/v1/connectors/service-map?token=${URL_TOKEN}`,
      keys: async () => this.keys,
      fetchImpl: this.publisher.fetch,
      flags: { asyncRefresh: true, refreshIntervalMs: INTERVAL },
      random: fixedRandom(0.5),
      onFetch: (outcome) => this.outcomes.push(outcome),
      ...{ logger, store, clock: time, monotonic: time, timers: time },
      ...changes,
    });
    this.#followers.push(follower);
    return follower;
  }

  /** Follows a publisher in whose map these connectors are, and has it. */
  async following(
    connectors: MapWishes["connectors"] = ["a"],
    changes: Partial<ServiceMapFollowerOptions> = {},
  ): Promise<ServiceMapFollower> {
    this.publisher.publish({ connectors });
    const follower = this.follow(changes);
    await follower.sync();
    return follower;
  }

  async end(): Promise<void> {
    await Promise.all(this.#followers.map(async (follower) => follower.stop()));
    const text = JSON.stringify(this.logger.lines);
    if (text.includes(URL_TOKEN)) throw new Error(`the log shows a token: ${text}`);
    if (this.time.pending > 0) throw new Error(`the test left ${this.time.pending} timer(s)`);
  }
}

/** A rig of its own for each test; a timer that is left, or a secret in the log, fails the test. */
export function useRig(): () => Rig {
  let rig = new Rig();
  beforeEach(() => {
    rig = new Rig();
  });
  afterEach(async () => {
    await rig.end();
  });
  return () => rig;
}

/** The ids of the connectors in a map. */
export const idsOf = (map: ServiceMapPayload | undefined): string[] | undefined => map?.connectors.map(({ id }) => id);
