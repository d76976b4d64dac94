import {
  GatewayError,
  specFingerprint,
  type ConnectorSpec,
  type ConnectorStatus,
  type Logger,
} from "@cortex-os/mcp-core";
import type { CatalogPart } from "../catalog/catalog-part.js";
import { Connector, type ConnectorDeps } from "./connector.js";
import { StartLine } from "./start-line.js";
import { startRule, type StartWidth } from "./start-width.js";
import type { RememberedParts } from "./warm/remembered-parts.js";

interface Entry {
  readonly connector: Connector;
  readonly fingerprint: string;
}

/** What the reconciler works through. */
export interface ReconcilerDeps extends Omit<ConnectorDeps, "onChange"> {
  /** Something a reader could see changed: a connector's tools or status, or which connectors there are. */
  readonly onChange: () => void;
  /** How many connectors may be starting at a time; one counts until it settled, or its connect and list time-outs are both over. @default "adaptive" */
  readonly width?: StartWidth;
  /** What connectors offered before a restart: those of which it is known begin with that. @default nothing is remembered */
  readonly memory?: RememberedParts | undefined;
}

/**
 * How long connectors that begin with what they listed before a restart wait until they connect, in milliseconds: what is served from memory must not wait for the work
 * that a hundred handshakes are. A call connects the one that it needs at once.
 */
const WARM_PAUSE_MS = 1_000;

/** How long calls to a connector that was changed, removed or disabled may go on. */
const RETIRE_MS = 30_000;

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;

/**
 * Makes the living connectors match the specs: what left is retired, what changed is replaced, what is new is started, what is the same is
 * left alone with its connection. New calls go to what is there now; those in flight on what is not may end.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #logger: Logger;
  readonly #entries = new Map<string, Entry>();
  /** Their connectors, sorted by key; made anew when they are asked for after they changed. */
  #sorted: readonly Connector[] | undefined;
  /** Those that left, until they have let go of what they held. */
  readonly #leaving = new Map<Connector, Promise<void>>();
  readonly #starting = new Set<Promise<void>>();
  /** Those that are in line to try again: once is enough. */
  readonly #retries = new Set<Connector>();
  #width: StartWidth;
  readonly #line: StartLine;
  /** Warm connectors that do not connect yet. */
  readonly #pausing = new Set<() => void>();

  /** @throws TypeError for a `width` that is none */
  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
    this.#logger = deps.logger;
    this.#width = deps.width ?? "adaptive";
    this.#line = new StartLine(startRule(this.#width), deps);
  }

  /** Has so many start at a time from now on; those that have begun go on. @throws TypeError for a `width` that is none */
  reconfigure(width: StartWidth): void {
    if (width === this.#width) return;
    this.#line.follow(startRule(width));
    this.#width = width;
  }

  /** Every living connector, sorted by key. */
  get connectors(): readonly Connector[] {
    this.#sorted ??= [...this.#entries.values()].map(({ connector }) => connector).toSorted(byKey);
    return this.#sorted;
  }

  /** The living connector of that key. */
  find(key: string): Connector | undefined {
    return this.#entries.get(key)?.connector;
  }

  /** What the connectors offer, sorted by key. */
  parts(): readonly CatalogPart[] {
    return this.connectors.flatMap(({ part }) => (part === undefined ? [] : [part]));
  }

  /** Every living connector's status, sorted by key. */
  statuses(): readonly ConnectorStatus[] {
    return this.connectors.map((connector) => connector.status());
  }

  /** Applies the specs of all sources at once. */
  apply(specs: readonly ConnectorSpec[]): void {
    const wanted = new Map(specs.map((spec) => [spec.key, spec]));
    for (const [key, { connector }] of this.#entries) {
      if (wanted.has(key)) continue;
      this.#entries.delete(key);
      this.#sorted = undefined;
      this.#deps.memory?.forget(key);
      this.#retire(connector, "Connector removed", "was removed");
    }
    for (const spec of wanted.values()) this.#applyOne(spec);
    this.#deps.onChange();
  }

  /** Those that are down at the moment. */
  get failed(): readonly Connector[] {
    return this.connectors.filter(({ isSettled, isUp, spec }) => isSettled && !isUp && !spec.disabled);
  }

  /** Has these connectors try again now, as far as they live and are down, instead of when their own backoff says. */
  retry(connectors: readonly Connector[]): void {
    for (const connector of connectors) {
      if (this.#retries.has(connector) || this.find(connector.key) !== connector) continue;
      this.#retries.add(connector);
      this.#begin(connector, () => {
        this.#retries.delete(connector);
        connector.retry();
      });
    }
  }

  /** Resolves when every connector that is starting or trying again has settled, or its time is over. Never rejects. */
  async whenSettled(): Promise<void> {
    await Promise.allSettled(this.#starting);
  }

  /** Closes every connector, those that left and still have calls in flight too, and waits until each has released what it held. Idempotent. */
  async close(): Promise<void> {
    for (const cancel of this.#pausing) cancel();
    this.#pausing.clear();
    // Closing ends what they wait for; what came of the waiting is waited for as well.
    const left = [...this.#leaving.values()];
    for (const connector of this.#leaving.keys()) this.#leave(connector, connector.close());
    for (const { connector } of this.#entries.values()) {
      this.#logger.info({ connectorId: connector.key }, "Connector closed");
      this.#leave(connector, connector.close());
    }
    this.#entries.clear();
    this.#sorted = undefined;
    await Promise.all([...left, ...this.#leaving.values()]);
  }

  #applyOne(spec: ConnectorSpec): void {
    const existing = this.#entries.get(spec.key);
    // The very same object needs no digest: a source that was asked again and found nothing new names the ones it named before.
    if (existing?.connector.spec === spec) return;
    const fingerprint = specFingerprint(spec);
    if (existing?.fingerprint === fingerprint) return;
    if (existing !== undefined)
      this.#retire(existing.connector, "Connector changed", spec.disabled ? "was disabled" : "was changed");
    const { memory } = this.#deps;
    const onChange = (changed: Connector): void => {
      // A connector that was replaced may still be finishing: its word no longer counts.
      if (this.#entries.get(changed.key)?.connector !== changed) return;
      memory?.keep(changed, fingerprint);
      this.#deps.onChange();
    };
    const stored = memory?.claim(spec.key, fingerprint);
    const connector = new Connector(spec, { ...this.#deps, onChange }, { inherited: existing?.connector.part, stored });
    this.#entries.set(spec.key, { connector, fingerprint });
    this.#sorted = undefined;
    const { isWarm } = connector;
    this.#logger.info({ connectorId: spec.key, source: spec.source, ...(isWarm ? { isWarm } : {}) }, "Connector added");
    const begin = (): void => {
      this.#begin(connector, () => {
        connector.start();
      });
    };
    // One that is disabled does not start, and one that sleeps does when something is asked of it.
    if (connector.isSettled) return;
    if (isWarm) this.#later(begin);
    else begin();
  }

  #later(begin: () => void): void {
    const cancel = this.#deps.timers.after(WARM_PAUSE_MS, () => {
      this.#pausing.delete(cancel);
      begin();
    });
    this.#pausing.add(cancel);
  }

  #begin(connector: Connector, begin: () => void): void {
    const { isWarm, spec } = connector;
    const kind = spec.transport.kind === "stdio" ? "child" : "other";
    const starting = this.#line.enter({ kind, isAwaited: !isWarm, run: () => this.#beginInTime(connector, begin) });
    // Nothing waits for one that serves already.
    if (!isWarm) this.#starting.add(starting);
    const forget = (): void => void this.#starting.delete(starting);
    starting.then(forget, forget);
  }

  /** An upstream has deadlines of its own. This one is for the place in the line: one that breaks its word must not keep the others out. */
  async #beginInTime(connector: Connector, begin: () => void): Promise<void> {
    const { key, spec } = connector;
    const { connectMs, startMs, listMs } = spec.timeouts;
    const limitMs = (spec.transport.kind === "stdio" ? startMs : connectMs) + listMs;
    let cancel = (): void => {};
    const tooLate = new Promise<void>((resolve) => {
      cancel = this.#deps.timers.after(limitMs, () => {
        const err = new GatewayError("UPSTREAM_TIMEOUT", `Connector "${key}" has not settled within ${limitMs} ms`);
        this.#logger.warn({ connectorId: key, err }, "Connector sync failed");
        resolve();
      });
    });
    begin();
    await Promise.race([connector.whenSettled(), tooLate]);
    cancel();
  }

  #retire(connector: Connector, message: string, why: string): void {
    this.#logger.info({ connectorId: connector.key }, message);
    this.#leave(connector, connector.retire(RETIRE_MS, why));
  }

  #leave(connector: Connector, ending: Promise<void>): void {
    const leaving = ending
      .catch((error: unknown) => {
        this.#logger.error({ connectorId: connector.key, err: error }, "Connector did not close cleanly");
      })
      .then(() => {
        if (this.#leaving.get(connector) === leaving) this.#leaving.delete(connector);
      });
    this.#leaving.set(connector, leaving);
  }
}
