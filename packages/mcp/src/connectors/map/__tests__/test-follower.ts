import type { ServiceMapPayload } from "@cortex-os/protocol";
import type { ConnectorManifestError } from "../../connector-manifest-error.js";
import type { ServiceMapStatus } from "../follower-status.js";
import type { FollowedServiceMap } from "../service-map-source.js";

interface Attempt {
  readonly how: "sync" | "forced" | "refresh";
  readonly end: (error?: Error) => void;
}

/** What follows a service map, in the hands of a test: an attempt ends when and how the test says. */
export class TestFollower implements FollowedServiceMap {
  inForce: ServiceMapPayload | undefined;
  expired: ServiceMapPayload | undefined;
  lastFailure: ConnectorManifestError | undefined;
  isFresh = true;
  /** What it finds persisted. */
  persisted: ServiceMapPayload | undefined;
  loading: Promise<void> = Promise.resolve();
  stops = 0;
  /** The id of the pinned map. */
  pinned: string | undefined;
  readonly attempts: Attempt[] = [];
  readonly #mode: ServiceMapStatus["mode"];
  readonly #listeners = new Set<() => void>();

  constructor(mode: ServiceMapStatus["mode"] = "background") {
    this.#mode = mode;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  changed(change: Partial<Pick<TestFollower, "inForce" | "expired" | "lastFailure">> = {}): void {
    Object.assign(this, change);
    for (const listener of this.#listeners) listener();
  }

  async load(): Promise<void> {
    await this.loading;
    this.inForce = this.persisted;
  }

  async sync(force = false): Promise<void> {
    return this.#attempt(force ? "forced" : "sync");
  }

  async refresh(): Promise<void> {
    return this.#attempt("refresh");
  }

  status(): ServiceMapStatus {
    const pinned = this.pinned === undefined ? {} : { pinned: this.pinned };
    return {
      url: "https://maps.example/map",
      mode: this.#mode,
      state: "none",
      circuit: "closed",
      failures: 0,
      ...pinned,
    };
  }

  async stop(): Promise<void> {
    this.stops += 1;
    await Promise.resolve();
  }

  #attempt(how: Attempt["how"]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.attempts.push({
        how,
        end: (error) => {
          if (error === undefined) resolve();
          else reject(error);
        },
      });
    });
  }
}
