import { messageOf, type Logger, type Monotonic, type RandomSource, type Timers } from "@cortex-os/mcp-core";
import { LIST_KINDS, LISTS, SERVER_FEATURES, type ServerFeature } from "@cortex-os/mcp-core/wire";
import type { CatalogPart } from "../catalog/catalog-part.js";
import { FeatureLists } from "./feature-lists.js";
import { kindsOf } from "./list-feature.js";
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
  /** How long asking for a feature's lists took, in seconds, and whether it succeeded. */
  readonly onSync: (seconds: number, ok: boolean) => void;
}

/** How long tools that are there wait for resources and prompts that are not, in milliseconds: one change of the catalog is better than three. */
const TOGETHER_MS = 1_000;

/**
 * Keeps what is known of an upstream's lists true. A connector without its tools is of no use, one without its resources or prompts is: those that cannot be listed,
 * or not soon, change nothing else.
 */
export class ConnectorLists {
  readonly #deps: ConnectorListsDeps;
  readonly #features: ReadonlyMap<ServerFeature, FeatureLists>;
  #part: CatalogPart | undefined;
  /** The features that the upstream says it has, since it came up last. */
  #declared: ReadonlySet<ServerFeature> = new Set();
  /** Those of them of which nothing has come yet since then. */
  readonly #awaited = new Set<ServerFeature>();
  #cancelTogether: (() => void) | undefined;
  #ended = false;

  constructor(deps: ConnectorListsDeps) {
    this.#deps = deps;
    this.#part = deps.known;
    this.#features = new Map(SERVER_FEATURES.map((feature) => [feature, this.#listsOf(feature)]));
  }

  /** What the upstream listed last, in an earlier life of the gateway perhaps; `undefined` until it listed its tools once. */
  get part(): CatalogPart | undefined {
    return this.#part;
  }

  /** Whether the upstream answered for everything it has when it was asked last. */
  get isWhole(): boolean {
    return [...this.#declared].every((feature) => this.#features.get(feature)?.isSound === true);
  }

  /** The upstream is there: its lists are asked for. */
  up(): void {
    const { capabilities = {} } = this.#deps.upstream.facts ?? {};
    this.#declared = new Set(SERVER_FEATURES.filter((feature) => capabilities[feature] !== undefined));
    this.#awaited.clear();
    this.#stopWaiting();
    for (const feature of this.#declared) this.#awaited.add(feature);
    for (const [feature, lists] of this.#features) {
      if (this.#declared.has(feature)) lists.up();
      else lists.down();
    }
    // With nothing to ask for there is nothing to wait for, but whoever brought it up is not done yet.
    if (this.#declared.size === 0) queueMicrotask(() => this.#onSettled());
  }

  /** The upstream is not there. */
  down(): void {
    // What it said before it went still counts.
    if (this.#cancelTogether !== undefined) this.#publish();
    for (const lists of this.#features.values()) lists.down();
  }

  /** The upstream says that the lists of `feature` changed. */
  announced(feature: ServerFeature): void {
    this.#features.get(feature)?.announced();
  }

  /** Asks for everything now or, when it is being asked, once more after that. */
  refresh(): void {
    for (const feature of this.#declared) this.#features.get(feature)?.refresh();
  }

  /** Nothing is asked and nobody told any more. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#stopWaiting();
    for (const lists of this.#features.values()) lists.end();
  }

  #listsOf(feature: ServerFeature): FeatureLists {
    const { known } = this.#deps;
    const knownLists = kindsOf(feature).flatMap((kind) => {
      const list = known?.lists[kind];
      return list === undefined ? [] : [[kind, list] as const];
    });
    return new FeatureLists(
      {
        ...this.#deps,
        feature,
        onListed: () => {
          this.#awaited.delete(feature);
          this.#onSettled();
        },
        onFailed: (error) => {
          this.#onFailed(feature, error);
        },
      },
      Object.fromEntries(knownLists),
    );
  }

  #onFailed(feature: ServerFeature, error: unknown): void {
    if (feature === "tools") {
      this.#deps.onFailed(error);
      return;
    }
    const { key, logger } = this.#deps;
    const reason = messageOf(error);
    logger.warn({ connectorId: key, reason }, `${feature}/list failed; what is known of it stays`);
    this.#awaited.delete(feature);
    this.#onSettled();
  }

  /** Something came, or will not come soon. */
  #onSettled(): void {
    if (this.#awaited.has("tools")) return;
    if (this.#awaited.size === 0) this.#publish();
    else this.#cancelTogether ??= this.#deps.timers.after(TOGETHER_MS, () => this.#publish());
  }

  #publish(): void {
    this.#stopWaiting();
    if (this.#ended) return;
    // What has not come by now comes when it comes.
    this.#awaited.clear();
    const offered = LIST_KINDS.flatMap((kind) => {
      const { feature } = LISTS[kind];
      const list = this.#declared.has(feature) ? this.#features.get(feature)?.lists[kind] : undefined;
      return list === undefined ? [] : [[kind, list] as const];
    });
    this.#part = { key: this.#deps.key, lists: Object.fromEntries(offered) };
    this.#deps.onListed(this.#part);
  }

  #stopWaiting(): void {
    this.#cancelTogether?.();
    this.#cancelTogether = undefined;
  }
}
