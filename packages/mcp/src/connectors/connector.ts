import {
  backoffDelayMs,
  messageOf,
  type Clock,
  type ConnectorSpec,
  type ConnectorStatus,
  type Logger,
  type Monotonic,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";
import type { CatalogPart } from "../catalog/catalog-part.js";
import { Brake } from "./brake.js";
import { wholeReason, type ConnectorState } from "./connector-state.js";
import { listPart } from "./list-part.js";
import type { CreateUpstream, Upstream } from "./upstream.js";

/** What connectors work through. */
export interface ConnectorDeps {
  readonly createUpstream: CreateUpstream;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** Hears of every change of the connector's tools or status. */
  readonly onChange: (connector: Connector) => void;
  /** Hears how long learning the tools took, in seconds, and how it ended. */
  readonly onSync: (connector: Connector, seconds: number, ok: boolean) => void;
  /** Hears why a start or a retry did not connect; the attempts of the upstream's own are only in `onChange`. */
  readonly onConnectFailed?: (connector: Connector, error: unknown) => void;
}

/** Between two looks at an upstream whose announcements do not arrive; the jitter keeps many connectors apart. */
const REFRESH_MS = 300_000;
const REFRESH_JITTER = 0.2;
const RETRY = { baseMs: 500, maxMs: 60_000 };
/** Between two lists that the upstream's announcements cause: one that announces a change after every list must not keep us busy. */
const ANNOUNCED = { gapMs: 1_000, maxGapMs: 60_000 };

/**
 * One upstream as the gateway knows it: its spec, its live state and the tools it last listed.
 *
 * The tools stay in the catalog while the upstream is away: a list that shrinks and grows with every hiccup is worse for clients than a
 * call that fails at once and says why. They go when the connector goes.
 */
export class Connector {
  readonly spec: ConnectorSpec;
  readonly #deps: ConnectorDeps;
  readonly #upstream: Upstream | undefined;
  #state: ConnectorState;
  #since: number;
  #part: CatalogPart | undefined;
  readonly #inherited: CatalogPart | undefined;
  #available = false;
  readonly #brake: Brake;
  #refreshing = false;
  #again = false;
  #announced = false;
  #failures = 0;
  #retrying = false;
  #waiting: (() => void)[] = [];
  #cancelTimer: () => void = () => {};
  #closed = false;

  /** @param inherited what the connector offered in whose place this one comes: offered until this one settles, so that no list lacks it meanwhile */
  constructor(spec: ConnectorSpec, deps: ConnectorDeps, inherited?: CatalogPart) {
    this.spec = spec;
    this.#inherited = inherited;
    this.#deps = deps;
    this.#since = deps.clock.now();
    this.#brake = new Brake(deps, ANNOUNCED, () => {
      this.#refresh("announced");
    });
    this.#state = spec.disabled ? { kind: "disabled" } : { kind: "connecting" };
    if (spec.disabled) return;
    this.#upstream = deps.createUpstream(spec, {
      onAvailability: (up, reason, detail) => {
        this.#onAvailability(up, reason, detail);
      },
      onToolsChanged: () => {
        this.#onAnnounced();
      },
    });
  }

  get key(): string {
    return this.spec.key;
  }

  /** The tools it adds to the catalog; `undefined` until it listed them once, or while it settles and has inherited some. */
  get part(): CatalogPart | undefined {
    return this.#part ?? (this.isSettled ? undefined : this.#inherited);
  }

  /** Whether waiting for it at the start is over: it is up, down or disabled. */
  get isSettled(): boolean {
    return this.#state.kind !== "connecting";
  }

  get isUp(): boolean {
    return this.#state.kind === "up";
  }

  /** The way to call it; `undefined` when disabled. */
  get upstream(): Upstream | undefined {
    return this.#upstream;
  }

  status(): ConnectorStatus {
    const era = this.#upstream?.facts?.era;
    return {
      key: this.key,
      source: this.spec.source,
      state: this.#state.kind,
      ...(this.#state.kind === "down" ? { reason: wholeReason(this.#state) } : {}),
      ...(era === undefined ? {} : { era }),
      tools: this.part?.tools.length ?? 0,
      since: new Date(this.#since).toISOString(),
    };
  }

  /** Its state, and why, in words that a client may read: no detail that is for operators only. */
  describe(): string {
    const why = this.#state.kind === "down" ? `: ${this.#state.reason}` : "";
    return `connector "${this.key}" is ${this.#state.kind}${why}`;
  }

  /** Begins to connect, and to heal for as long as it lives. Never throws: how it goes is in {@link status}. */
  start(): void {
    if (this.#closed) return;
    // The outcome arrives by onAvailability; the promise only repeats it.
    this.#upstream?.connect().catch((error: unknown) => {
      this.#onConnectFailed(error);
    });
  }

  /** Tries at once what it would try later by itself. Does nothing unless it is down. */
  retry(): void {
    if (this.#closed || this.#retrying || this.#upstream === undefined || this.#state.kind !== "down") return;
    this.#retrying = true;
    if (this.#available) {
      this.#refresh();
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

  #end(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#brake.cancel();
    this.#onWaitOver();
  }

  #onConnectFailed(error: unknown): void {
    if (!this.#closed) this.#deps.onConnectFailed?.(this, error);
  }

  #onAvailability(up: boolean, reason?: string, detail?: string): void {
    if (this.#closed) return;
    this.#available = up;
    this.#cancelTimer();
    this.#brake.cancel();
    if (up) {
      this.#failures = 0;
      this.#refresh();
      return;
    }
    this.#deps.logger.warn({ connectorId: this.key, reason, detail }, "Connector is down");
    const known = detail === undefined ? {} : { detail };
    this.#enter({ kind: "down", reason: reason ?? "the upstream is not reachable", ...known });
  }

  #onAnnounced(): void {
    if (this.#closed || !this.#available) return;
    if (!this.#refreshing) this.#brake.request();
    else this.#announced = true;
  }

  #refresh(why: "own" | "announced" = "own"): void {
    if (this.#refreshing) {
      this.#again = true;
      return;
    }
    if (this.#closed || this.#upstream === undefined || !this.#available) return;
    this.#refreshing = true;
    this.#again = false;
    this.#announced = false;
    this.#cancelTimer();
    const upstream = this.#upstream;
    const started = this.#deps.monotonic.elapsedMs();
    const finish = (ok: boolean): void => {
      this.#refreshing = false;
      if (this.#closed) return;
      if (why === "announced") this.#brake.ended();
      this.#deps.onSync(this, (this.#deps.monotonic.elapsedMs() - started) / 1_000, ok);
      if (this.#again) this.#refresh();
      else if (this.#announced) this.#onAnnounced();
    };
    listPart(upstream, this.key, this.#deps.logger).then(
      (part) => {
        this.#onListed(part);
        finish(true);
      },
      (error: unknown) => {
        this.#onListFailed(error);
        finish(false);
      },
    );
  }

  #onListed(part: CatalogPart): void {
    // The upstream may have gone while it answered: then it is down, and what it said last still counts.
    if (this.#closed) return;
    this.#failures = 0;
    this.#part = part;
    if (!this.#available) {
      this.#deps.onChange(this);
      return;
    }
    if (!this.isUp) {
      const fields = { connectorId: this.key, tools: part.tools.length, era: this.#upstream?.facts?.era };
      this.#deps.logger.info(fields, "Connector is up");
    }
    this.#enter({ kind: "up" });
    this.#lookLater();
  }

  #onListFailed(error: unknown): void {
    if (this.#closed || !this.#available) return;
    const reason = `tools/list failed: ${messageOf(error)}`;
    this.#deps.logger.warn({ connectorId: this.key, err: error }, "Connector sync failed");
    // With a good list in hand the connector goes on with it; without one there is nothing to offer.
    if (this.#part === undefined || this.#state.kind !== "up") this.#enter({ kind: "down", reason });
    this.#later(backoffDelayMs(this.#failures++, RETRY, this.#deps.random), () => {
      this.#refresh();
    });
  }

  /** Runs in any case: what an upstream announces can cease to arrive at any time. */
  #lookLater(): void {
    const delayMs = Math.floor(REFRESH_MS * (1 + (this.#deps.random.next() * 2 - 1) * REFRESH_JITTER));
    this.#later(delayMs, () => {
      if (this.#upstream?.hearsChanges === true) this.#lookLater();
      else this.#refresh();
    });
  }

  #later(delayMs: number, task: () => void): void {
    this.#cancelTimer();
    // Whoever heard of the last change may have closed it.
    if (!this.#closed) this.#cancelTimer = this.#deps.timers.after(delayMs, task);
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
