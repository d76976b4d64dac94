import { backoffDelayMs, type Logger, type Monotonic, type RandomSource, type Timers } from "@cortex-os/mcp-core";
import type { ServerFeature } from "@cortex-os/mcp-core/wire";
import type { CatalogPart } from "../catalog/catalog-part.js";
import { Brake } from "./brake.js";
import { listFeature } from "./list-feature.js";
import type { Upstream } from "./upstream.js";

/** What {@link FeatureLists} work through, and whom they tell. */
export interface FeatureListsDeps {
  readonly key: string;
  readonly feature: ServerFeature;
  readonly upstream: Upstream;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** The lists were had, also from an upstream that has gone meanwhile. */
  readonly onListed: () => void;
  /** They could not be had, while the upstream is there; it is asked again later. */
  readonly onFailed: (error: unknown) => void;
  /** How long asking took, in seconds, and whether it succeeded. */
  readonly onSync: (seconds: number, ok: boolean) => void;
}

/** Between two looks at an upstream whose announcements do not arrive; the jitter keeps many connectors apart. */
const REFRESH_MS = 300_000;
const REFRESH_JITTER = 0.2;
const RETRY = { baseMs: 500, maxMs: 60_000 };
/** Between two lists that the upstream's announcements cause: one that announces a change after every list must not keep us busy. */
const ANNOUNCED = { gapMs: 1_000, maxGapMs: 60_000 };

/**
 * Keeps what is known of one feature of an upstream true: asks when it comes up, when it announces a change, and from time to time. Each feature by itself: one
 * that does not answer, or changes all the time, keeps no other back.
 */
export class FeatureLists {
  readonly #deps: FeatureListsDeps;
  readonly #brake: Brake;
  #lists: CatalogPart["lists"];
  #isSound = false;
  #available = false;
  #refreshing = false;
  #again = false;
  #announced = false;
  #failures = 0;
  #cancelTimer: () => void = () => {};
  #ended = false;

  /** @param known what the upstream listed in an earlier life of the gateway */
  constructor(deps: FeatureListsDeps, known: CatalogPart["lists"]) {
    this.#deps = deps;
    this.#lists = known;
    this.#brake = new Brake(deps, ANNOUNCED, () => {
      this.#refresh("announced");
    });
  }

  /** What the upstream listed last; empty until it did. */
  get lists(): CatalogPart["lists"] {
    return this.#lists;
  }

  /** Whether the upstream answered when it was asked last. */
  get isSound(): boolean {
    return this.#isSound;
  }

  /** The upstream is there, and has this feature. */
  up(): void {
    this.#available = true;
    this.#failures = 0;
    this.#quiet();
    this.refresh();
  }

  /** The upstream is not there, or does not have the feature. */
  down(): void {
    this.#available = false;
    this.#quiet();
  }

  /** The upstream says that the lists changed. */
  announced(): void {
    if (this.#ended || !this.#available) return;
    if (this.#refreshing) this.#announced = true;
    else this.#brake.request();
  }

  /** Asks now or, when it is being asked, once more after that. */
  refresh(): void {
    this.#refresh("own");
  }

  /** Nothing is asked and nobody told any more. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#quiet();
  }

  #quiet(): void {
    this.#cancelTimer();
    this.#brake.cancel();
  }

  #refresh(why: "own" | "announced"): void {
    if (this.#refreshing) {
      this.#again = true;
      return;
    }
    if (this.#ended || !this.#available) return;
    this.#refreshing = true;
    this.#again = false;
    this.#announced = false;
    this.#cancelTimer();
    const { feature, upstream, monotonic } = this.#deps;
    const started = monotonic.elapsedMs();
    const finish = (ok: boolean): void => {
      this.#refreshing = false;
      if (this.#ended) return;
      if (why === "announced") this.#brake.ended();
      this.#deps.onSync((monotonic.elapsedMs() - started) / 1_000, ok);
      if (this.#again) this.refresh();
      else if (this.#announced) this.announced();
    };
    listFeature(upstream, feature, this.#deps).then(
      (lists) => {
        this.#onListed(lists);
        finish(true);
      },
      (error: unknown) => {
        this.#onFailed(error);
        finish(false);
      },
    );
  }

  #onListed(lists: CatalogPart["lists"]): void {
    if (this.#ended) return;
    // The upstream may have gone while it answered: what it said last still counts.
    this.#lists = lists;
    this.#isSound = true;
    this.#failures = 0;
    this.#deps.onListed();
    if (this.#available) this.#lookLater();
  }

  #onFailed(error: unknown): void {
    if (this.#ended || !this.#available) return;
    this.#isSound = false;
    this.#deps.onFailed(error);
    this.#later(backoffDelayMs(this.#failures++, RETRY, this.#deps.random), () => {
      this.refresh();
    });
  }

  /** Runs in any case: what an upstream announces can cease to arrive at any time. */
  #lookLater(): void {
    const { random, upstream } = this.#deps;
    const delayMs = Math.floor(REFRESH_MS * (1 + (random.next() * 2 - 1) * REFRESH_JITTER));
    this.#later(delayMs, () => {
      if (upstream.hearsChanges) this.#lookLater();
      else this.refresh();
    });
  }

  #later(delayMs: number, task: () => void): void {
    this.#cancelTimer();
    // Whoever heard of the last change may have ended it.
    if (!this.#ended) this.#cancelTimer = this.#deps.timers.after(delayMs, task);
  }
}
