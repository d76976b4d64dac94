import { setConnectorAvailabilityGauge, type ConnectorAvailabilityGauge } from "./availability-gauge.js";

type Words = Map<AvailabilityShare, boolean>;

/** By gauge and connector, what those who know the connector say of it: several may share a gauge, which knows nothing of them. */
const WORDS = new WeakMap<ConnectorAvailabilityGauge, Map<string, Words>>();

/** One owner's part of a gauge that others may set as well: a connector that several have is up while it is up for one of them. */
export class AvailabilityShare {
  readonly #gauge: ConnectorAvailabilityGauge;
  readonly #connectors: Map<string, Words>;
  #own: ReadonlySet<string> = new Set();

  constructor(gauge: ConnectorAvailabilityGauge) {
    this.#gauge = gauge;
    this.#connectors = WORDS.get(gauge) ?? new Map<string, Words>();
    WORDS.set(gauge, this.#connectors);
  }

  /** These are the owner's connectors, and no others: the series of what left goes, unless somebody else has it. */
  set(connectors: ReadonlyMap<string, boolean>): void {
    for (const [connector, up] of connectors) {
      const words: Words = this.#connectors.get(connector) ?? new Map<AvailabilityShare, boolean>();
      if (words.get(this) === up) continue;
      words.set(this, up);
      this.#connectors.set(connector, words);
      this.#show(connector, words);
    }
    for (const connector of this.#own) if (!connectors.has(connector)) this.#leave(connector, "gone");
    this.#own = new Set(connectors.keys());
  }

  /** The owner ends: its connectors are down, as far as it is concerned. Idempotent. */
  end(): void {
    for (const connector of this.#own) this.#leave(connector, "down");
    this.#own = new Set();
  }

  #leave(connector: string, as: "gone" | "down"): void {
    const words = this.#connectors.get(connector);
    words?.delete(this);
    if (words !== undefined && words.size > 0) {
      this.#show(connector, words);
      return;
    }
    this.#connectors.delete(connector);
    if (as === "gone") this.#gauge.remove({ connector });
    else setConnectorAvailabilityGauge(connector, false, this.#gauge);
  }

  #show(connector: string, words: Words): void {
    setConnectorAvailabilityGauge(connector, [...words.values()].includes(true), this.#gauge);
  }
}
