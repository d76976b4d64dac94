import {
  messageOf,
  type ChildrenPolicy,
  type Clock,
  type ConnectorSpec,
  type ConnectorStatus,
  type Logger,
  type Monotonic,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";
import { LIST_KINDS, type JsonRpcNotification, type ServerFeature } from "@cortex-os/mcp-core/wire";
import type { AskedQuestion, UpstreamQuestion } from "@cortex-os/mcp-bridge";
import { entriesOf, type CatalogPart } from "../catalog/catalog-part.js";
import { childrenOf } from "./children-policy.js";
import { ConnectorLists } from "./connector-lists.js";
import { ConnectorSleep } from "./connector-sleep.js";
import { noteOf, shownState, stateForAnybody, type ConnectorState } from "./connector-state.js";
import type { CreateUpstream, Upstream } from "./upstream.js";
import type { StoredPart } from "./warm/catalog-store.js";
import { earlierOf } from "./warm/earlier-of.js";

/** What connectors work through. */
export interface ConnectorDeps {
  readonly createUpstream: CreateUpstream;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** How child processes live. @default as `DEFAULT_CHILDREN` says */
  readonly children?: ChildrenPolicy | undefined;
  /** Hears of every change of the connector's lists or status. */
  readonly onChange: (connector: Connector) => void;
  /** Hears how long learning the lists took, in seconds, and how it ended. */
  readonly onSync: (connector: Connector, seconds: number, ok: boolean) => void;
  /** Hears what the upstream tells outside of any request; `sessionKey` as in `UpstreamEvents`. */
  readonly onNotification?: (connector: Connector, notification: JsonRpcNotification, sessionKey?: string) => void;
  /** Puts a question of the upstream's to the client of a session; see `UpstreamEvents`. */
  readonly onQuestion?: (sessionKey: string, question: UpstreamQuestion) => AskedQuestion | undefined;
  /** Hears why a start or a retry did not connect; the attempts of the upstream's own are only in `onChange`. */
  readonly onConnectFailed?: (connector: Connector, error: unknown) => void;
}

/** What is known of a connector before it has connected. */
export interface Earlier {
  /** What the connector offered in whose place this one comes: offered until this one settles, so that no list lacks it meanwhile. */
  readonly inherited?: CatalogPart | undefined;
  /** What it listed itself before the gateway was started anew: offered until it lists again. */
  readonly stored?: StoredPart | undefined;
}

/**
 * One upstream as the gateway knows it: its spec, its live state and what it last listed.
 *
 * Its tools, resources and prompts stay in the catalog while the upstream is away: a list that shrinks and grows with every hiccup is worse for clients than a
 * call that fails at once and says why. They go when the connector goes.
 */
export class Connector {
  readonly spec: ConnectorSpec;
  readonly #deps: ConnectorDeps;
  readonly #upstream: Upstream | undefined;
  readonly #lists: ConnectorLists | undefined;
  #state: ConnectorState;
  #since: number;
  #listedMs: number | undefined;
  readonly #inherited: CatalogPart | undefined;
  /** Whether it begins with what it listed before a restart: no list needs to wait for it. */
  readonly isWarm: boolean;
  #available = false;
  #retrying = false;
  #waiting: (() => void)[] = [];
  #closed = false;
  #isIsolated = false;
  readonly #sleep: ConnectorSleep;

  constructor(spec: ConnectorSpec, deps: ConnectorDeps, { inherited, stored }: Earlier = {}) {
    this.spec = spec;
    this.#inherited = inherited;
    this.isWarm = stored !== undefined;
    this.#deps = deps;
    this.#since = deps.clock.now();
    this.#state = spec.disabled ? { kind: "disabled" } : { kind: "connecting" };
    const children = childrenOf(spec, deps.children);
    const look = (children?.idleMs ?? 0) > 0 ? () => this.#connect() : undefined;
    this.#sleep = new ConnectorSleep({ ...deps, look });
    if (spec.disabled) return;
    // What it offers is known, and starting it can wait until somebody wants something of it.
    if (stored !== undefined && children?.start === "onDemand") {
      this.#state = { kind: "up" };
      this.#sleep.begin(true);
    }
    const events = {
      onAvailability: (up: boolean, reason?: string, detail?: string) => {
        this.#onAvailability(up, reason, detail);
      },
      onListChanged: (feature: ServerFeature) => {
        this.#lists?.announced(feature);
      },
      onNotification: (notification: JsonRpcNotification, sessionKey?: string) => {
        if (!this.#closed) this.#deps.onNotification?.(this, notification, sessionKey);
      },
      // Also of one that is closed: the calls that it still has may ask.
      onQuestion: (sessionKey: string, question: UpstreamQuestion) => this.#deps.onQuestion?.(sessionKey, question),
      onIsolated: () => {
        this.#isIsolated = true;
        if (!this.#closed) this.#deps.onChange(this);
      },
      onAsleep: () => this.#onAsleep(),
    };
    this.#upstream = deps.createUpstream(spec, events, stored && earlierOf(stored, this.#sleep.isAsleep));
    this.#lists = this.#listsOf(this.#upstream, stored?.part);
  }

  get key(): string {
    return this.spec.key;
  }

  /** What it adds to the catalog; `undefined` until it listed that once, unless it settles and has inherited something. */
  get part(): CatalogPart | undefined {
    return this.#lists?.part ?? (this.isSettled ? undefined : this.#inherited);
  }

  /** Whether waiting for it at the start is over: it is up, down or disabled. */
  get isSettled(): boolean {
    return this.#state.kind !== "connecting";
  }

  /** Whether what is asked of it is likely to be answered: one that sleeps is up, and starts for it. */
  get isUp(): boolean {
    return this.#state.kind === "up";
  }

  /** When its lists were last had in full, in milliseconds since the epoch; `undefined` until that happened once. */
  get listedMs(): number | undefined {
    return this.#listedMs;
  }

  /** The way to call it; `undefined` when disabled. */
  get upstream(): Upstream | undefined {
    return this.#upstream;
  }

  status(): ConnectorStatus {
    const era = this.#upstream?.facts?.era;
    const leftOut = LIST_KINDS.flatMap((kind) => this.part?.lists[kind]?.leftOut ?? []);
    return {
      key: this.key,
      source: this.spec.source,
      ...shownState(this.#state),
      ...(era === undefined ? {} : { era }),
      ...noteOf({ isIsolated: this.#isIsolated, isAsleep: this.#sleep.isAsleep }),
      tools: this.part === undefined ? 0 : entriesOf(this.part, "tools").length,
      ...(leftOut.length === 0 ? {} : { leftOut }),
      since: new Date(this.#since).toISOString(),
    };
  }

  /** Its state, and why, in words that a client may read: no detail that is for operators only. */
  describe(): string {
    return `connector "${this.key}" is ${stateForAnybody(this.#state)}`;
  }

  /** Begins to connect, and to heal for as long as it lives, unless a call had it connect before. Never throws: how it goes is in {@link status}. */
  start(): void {
    if (!this.#closed && !this.isSettled) this.#connect();
  }

  /** Tries at once what it would try later by itself. Does nothing unless it is down. */
  retry(): void {
    if (this.#closed || this.#retrying || this.#upstream === undefined || this.#state.kind !== "down") return;
    this.#retrying = true;
    if (this.#available) {
      this.#lists?.refresh();
      return;
    }
    this.#upstream.connect().then(
      () => {
        if (!this.#available) this.#onWaitOver();
      },
      (error: unknown) => {
        this.#onConnectFailed(error);
        // A reason that is known is not announced a second time.
        this.#onWaitOver();
      },
    );
  }

  /** Resolves when it is settled and no {@link retry} is under way, or when it is closed. Never rejects. */
  async whenSettled(): Promise<void> {
    if (this.#closed || (this.isSettled && !this.#retrying)) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Releases the upstream and everything it holds. Idempotent; nothing changes afterwards. */
  async close(): Promise<void> {
    this.#end();
    await this.#upstream?.dispose();
  }

  /** {@link close}, but the calls in flight may end first; see `Upstream.retire`. A `close` meanwhile ends them. */
  async retire(graceMs: number, why: string): Promise<void> {
    this.#end();
    await this.#upstream?.retire(graceMs, why);
  }

  #connect(): void {
    // The outcome arrives by onAvailability; the promise only repeats it.
    this.#upstream?.connect().catch((error: unknown) => {
      this.#onConnectFailed(error);
    });
  }

  #end(): void {
    this.#closed = true;
    this.#sleep.end();
    this.#lists?.end();
    this.#onWaitOver();
  }

  #onConnectFailed(error: unknown): void {
    if (!this.#closed) this.#deps.onConnectFailed?.(this, error);
  }

  #onAvailability(up: boolean, reason?: string, detail?: string): void {
    if (this.#closed) return;
    this.#available = up;
    this.#sleep.end();
    if (up) {
      this.#lists?.up();
      return;
    }
    this.#lists?.down();
    this.#deps.logger.warn({ connectorId: this.key, reason, detail }, "Connector is down");
    const known = detail === undefined ? {} : { detail };
    this.#enter({ kind: "down", reason: reason ?? "the upstream is not reachable", ...known });
  }

  #onAsleep(): void {
    if (this.#closed) return;
    this.#available = false;
    this.#lists?.down();
    this.#sleep.begin(this.isUp);
    this.#deps.logger.info({ connectorId: this.key }, "Connector sleeps until something is asked of it");
    this.#deps.onChange(this);
  }

  #listsOf(upstream: Upstream, known: CatalogPart | undefined): ConnectorLists {
    return new ConnectorLists({
      ...this.#deps,
      ...{ key: this.key, upstream, known },
      onListed: (part) => {
        this.#onListed(part);
      },
      onFailed: (error) => {
        this.#onListFailed(error);
      },
      onSync: (seconds, ok) => {
        if (ok && this.#lists?.isWhole === true) this.#listedMs = this.#deps.clock.now();
        this.#deps.onSync(this, seconds, ok);
      },
    });
  }

  #onListed(part: CatalogPart): void {
    if (!this.#available) {
      this.#deps.onChange(this);
      return;
    }
    if (!this.isUp) {
      const tools = entriesOf(part, "tools").length;
      this.#deps.logger.info({ connectorId: this.key, tools, era: this.#upstream?.facts?.era }, "Connector is up");
    }
    this.#enter({ kind: "up" });
  }

  #onListFailed(error: unknown): void {
    const reason = `tools/list failed: ${messageOf(error)}`;
    this.#deps.logger.warn({ connectorId: this.key, err: error }, "Connector sync failed");
    // With a good list in hand the connector goes on with it; without one there is nothing to offer.
    if (this.#lists?.part === undefined || this.#state.kind !== "up") this.#enter({ kind: "down", reason });
  }

  #enter(state: ConnectorState): void {
    if (state.kind !== this.#state.kind) this.#since = this.#deps.clock.now();
    this.#state = state;
    this.#deps.onChange(this);
    this.#onWaitOver();
  }

  #onWaitOver(): void {
    this.#retrying = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
