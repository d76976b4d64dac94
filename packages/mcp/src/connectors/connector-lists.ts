import { backoffDelayMs, type Logger, type Monotonic, type RandomSource, type Timers } from "@cortex-os/mcp-core";
import { SERVER_FEATURES, type ServerFeature } from "@cortex-os/mcp-core/wire";
import type { CatalogPart } from "../catalog/catalog-part.js";
import { Brake } from "./brake.js";
import { listPart, type ListedPart } from "./list-part.js";
import type { Upstream } from "./upstream.js";

/** What {@link ConnectorLists} works through, and whom it tells. */
export interface ConnectorListsDeps {
  readonly key: string;
  readonly upstream: Upstream;
  /** What it listed in an earlier life of the gateway, if that is known. */
  readonly known: CatalogPart | undefined;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** The lists were had, also from an upstream that has gone meanwhile. */
  readonly onListed: (part: CatalogPart) => void;
  /** The tools could not be listed, while the upstream is there; it is asked again later. */
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

const ALL: ReadonlySet<ServerFeature> = new Set(SERVER_FEATURES);

/** Keeps what is known of an upstream's lists true: asks when it comes up, when it announces a change, and from time to time. */
export class ConnectorLists {
  readonly #deps: ConnectorListsDeps;
  /** One a feature: a server whose tools change all the time must not keep a change of its prompts back. */
  readonly #brakes: Readonly<Record<ServerFeature, Brake>>;
  /** Features whose changes were announced while something else was asked for. */
  readonly #announced = new Set<ServerFeature>();
  #part: CatalogPart | undefined;
  #available = false;
  #refreshing = false;
  #again = false;
  #failures = 0;
  #cancelTimer: () => void = () => {};
  #ended = false;

  constructor(deps: ConnectorListsDeps) {
    this.#deps = deps;
    this.#part = deps.known;
    const brake = (feature: ServerFeature): Brake =>
      new Brake(deps, ANNOUNCED, () => {
        this.#refreshAnnounced(feature);
      });
    this.#brakes = { tools: brake("tools"), resources: brake("resources"), prompts: brake("prompts") };
  }

  /** What the upstream listed last, in an earlier life of the gateway perhaps; `undefined` until it listed its tools once. */
  get part(): CatalogPart | undefined {
    return this.#part;
  }

  /** The upstream is there: its lists are asked for. */
  up(): void {
    this.#available = true;
    this.#failures = 0;
    this.#quiet();
    this.refresh();
  }

  /** The upstream is not there. */
  down(): void {
    this.#available = false;
    this.#quiet();
  }

  /** The upstream says that the lists of `feature` changed. */
  announced(feature: ServerFeature): void {
    if (this.#ended || !this.#available) return;
    if (this.#refreshing) this.#announced.add(feature);
    else this.#brakes[feature].request();
  }

  /** Asks for everything now or, when it is being asked, once more after that. */
  refresh(): void {
    this.#refresh("own", ALL);
  }

  /** Nothing is asked and nobody told any more. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#quiet();
  }

  #quiet(): void {
    this.#cancelTimer();
    for (const brake of Object.values(this.#brakes)) brake.cancel();
  }

  #refreshAnnounced(feature: ServerFeature): void {
    // What is under way may have been asked for before the change.
    if (this.#refreshing) this.#announced.add(feature);
    else this.#refresh("announced", new Set([feature]));
  }

  #refresh(why: "own" | "announced", features: ReadonlySet<ServerFeature>): void {
    if (this.#refreshing) {
      this.#again = true;
      return;
    }
    if (this.#ended || !this.#available) return;
    this.#refreshing = true;
    this.#again = false;
    for (const feature of features) this.#announced.delete(feature);
    this.#cancelTimer();
    const { key, upstream, logger, monotonic } = this.#deps;
    const started = monotonic.elapsedMs();
    const finish = (ok: boolean): void => {
      this.#refreshing = false;
      if (this.#ended) return;
      if (why === "announced") for (const feature of features) this.#brakes[feature].ended();
      this.#deps.onSync((monotonic.elapsedMs() - started) / 1_000, ok);
      if (this.#again) this.refresh();
      else this.#requestAnnounced();
    };
    listPart(upstream, { key, logger, features, known: this.#part }).then(
      (listed) => {
        this.#onListed(listed);
        finish(listed.failed.size === 0);
      },
      (error: unknown) => {
        this.#onFailed(error);
        finish(false);
      },
    );
  }

  #requestAnnounced(): void {
    if (!this.#available) return;
    for (const feature of [...this.#announced]) {
      // One that may be asked for at once is; the others follow when it has answered.
      if (this.#refreshing) return;
      this.#announced.delete(feature);
      this.#brakes[feature].request();
    }
  }

  #onListed({ part, failed }: ListedPart): void {
    if (this.#ended) return;
    this.#part = part;
    // The upstream may have gone while it answered: what it said last still counts.
    this.#deps.onListed(part);
    if (!this.#available) return;
    if (failed.size > 0) this.#retry(failed);
    else {
      this.#failures = 0;
      this.#lookLater();
    }
  }

  #onFailed(error: unknown): void {
    if (this.#ended || !this.#available) return;
    this.#deps.onFailed(error);
    this.#retry(ALL);
  }

  #retry(features: ReadonlySet<ServerFeature>): void {
    this.#later(backoffDelayMs(this.#failures++, RETRY, this.#deps.random), () => {
      this.#refresh("own", features);
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
