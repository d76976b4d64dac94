import { backoffDelayMs, GatewayError } from "@cortex-os/mcp-core";
import { mirroredHeaders, type JsonObject, type MirroredParam } from "@cortex-os/mcp-core/wire";
import { closedFailure, connectorName } from "../http/failures.js";
import { withMirroredParams } from "../http/param-headers.js";
import type { Link, LinkEvents, UpstreamFacts } from "../link.js";
import { Announcements } from "./announcements.js";
import type { AnswerSink, Exchange, UpstreamCall } from "./exchange.js";
import type { ForwardedResponse, ForwardRequest } from "./forward.js";
import { listAllTools, type ToolList } from "./list-tools.js";
import type { ProxyState } from "./proxy-state.js";
import { resolveOptions, type RemoteProxyOptions, type ResolvedOptions } from "./remote-proxy-options.js";
import { transportFor, type Transport } from "./transport.js";
import { WaitingExchange } from "./waiting-exchange.js";

const RECONNECT = { baseMs: 200, maxMs: 30_000 };
/** Up for this long, an upstream is no flapping one: the next reconnect starts from the shortest delay again. */
const STABLE_MS = 10_000;
/** Between two attempts that calls to a connector that is down may cause. */
const PROBE_GAP_MS = 100;
/** Longest result of a call of the gateway's own, in bytes. */
const MAX_RESULT_BYTES = 32 * 1024 * 1024;

const ANSWERED: Exchange = { cancel: () => {}, resume: () => {} };

/** Options of {@link RemoteProxy.callTool}. */
export interface CallToolOptions {
  readonly signal?: AbortSignal;
  /** @default the connector's `callMs` */
  readonly timeoutMs?: number;
}

/**
 * One upstream MCP server, whatever its transport and era (R8). While it is away, calls fail at once with
 * UPSTREAM_UNAVAILABLE, and the proxy goes on trying to reach it (exponential backoff, full jitter, at most 30 s) until
 * it is disposed. Nothing is retried that may have been carried out (design.md, decision 9).
 */
export class RemoteProxy {
  readonly #options: ResolvedOptions;
  readonly #key: string;
  readonly #transport: Transport;
  readonly #announcements: Announcements;
  readonly #closing = new AbortController();
  /** Links that are lost but still have calls in flight. */
  readonly #retired = new Set<Link>();
  #state: ProxyState = { kind: "idle" };
  #link: Link | undefined;
  #prior: UpstreamFacts | undefined;
  #attempt: Promise<void> | undefined;
  #attemptedMs = 0;
  #upSinceMs = 0;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  #mirrored: ReadonlyMap<string, readonly MirroredParam[]> = new Map();
  #disposed: Promise<void> | undefined;

  constructor(options: RemoteProxyOptions) {
    this.#options = resolveOptions(options);
    this.#key = this.#options.spec.key;
    this.#prior = this.#options.prior;
    this.#transport = transportFor(this.#options);
    this.#announcements = new Announcements(this.#options);
  }

  get state(): ProxyState {
    return this.#state;
  }

  /** What the upstream turned out to be; while it is away, what it was. `undefined` before the first connection. */
  get facts(): UpstreamFacts | undefined {
    return this.#state.kind === "up" ? this.#state.facts : this.#prior;
  }

  /** Whether `onToolsChanged` would be called if the tools changed now; while it is false, only listing them tells. See `Link`. */
  get hearsChanges(): boolean {
    return this.#link?.hearsChanges === true;
  }

  /**
   * Connects; does nothing when it is up.
   *
   * @throws GatewayError of this attempt; the proxy goes on trying in the background
   */
  async connect(): Promise<void> {
    if (this.#state.kind !== "up") await this.#connectNow();
  }

  /**
   * All tools of the upstream, each as it came.
   *
   * @throws GatewayError UPSTREAM_UNAVAILABLE when it is down, UPSTREAM_TIMEOUT, UPSTREAM_LIMIT or UPSTREAM_PROTOCOL
   */
  async listTools(): Promise<ToolList> {
    const { link, facts } = await this.#whenUp();
    const { mirrored, ...list } = await listAllTools({
      link,
      key: this.#key,
      logger: this.#options.logger,
      timeoutMs: this.#options.spec.timeouts.listMs,
      mirrors: this.#transport.kind === "http" && facts.era === "modern",
      declared: facts.capabilities["tools"] !== undefined,
    });
    this.#mirrored = mirrored;
    return list;
  }

  /**
   * A call of the gateway's own, not of a client's.
   *
   * @returns the `CallToolResult`, also one with `isError`
   * @throws GatewayError as {@link listTools}, or CANCELLED
   */
  async callTool(name: string, args: JsonObject, options: CallToolOptions = {}): Promise<JsonObject> {
    const { link } = await this.#whenUp();
    const { signal, timeoutMs = this.#options.spec.timeouts.callMs } = options;
    const mirrored = this.#mirrored.get(name);
    return link.request(
      "tools/call",
      { name, arguments: args },
      {
        timeoutMs,
        maxBytes: MAX_RESULT_BYTES,
        ...(signal === undefined ? {} : { signal }),
        ...(mirrored === undefined ? {} : { paramHeaders: mirroredHeaders(mirrored, args) }),
      },
    );
  }

  /** Forwards a client's request; see `Link.send`. Before the first connection it waits for it, when down it fails at once. */
  send(call: UpstreamCall, sink: AnswerSink): Exchange {
    const link = this.#link;
    if (link !== undefined) return link.send(withMirroredParams(call, this.#mirrored), sink);
    if (this.#state.kind === "idle" || this.#state.kind === "connecting") return this.#sendLater(call, sink);
    sink.fail(this.#unavailable());
    this.#probe();
    return ANSWERED;
  }

  /** A client session ended: what the upstream holds for it is released. */
  endSession(sessionKey: string): void {
    this.#transport.endSession(sessionKey);
    this.#link?.endSession(sessionKey);
  }

  /**
   * One raw exchange with an HTTP upstream, connected or not, through the same sockets (R8).
   *
   * @returns whatever came, whatever its status
   * @throws GatewayError UPSTREAM_UNAVAILABLE (also for stdio), UPSTREAM_TIMEOUT or UPSTREAM_LIMIT
   */
  forward(request: ForwardRequest): Promise<ForwardedResponse> {
    return this.#transport.forward(request);
  }

  /** The same as {@link dispose}. */
  disconnect(): Promise<void> {
    return this.dispose();
  }

  /**
   * Ends everything: calls in flight fail, sessions end, sockets, timers and children go; an injected agent stays open.
   * Idempotent; resolves when all is released.
   */
  dispose(): Promise<void> {
    this.#disposed ??= this.#close();
    return this.#disposed;
  }

  async #close(): Promise<void> {
    const links = this.#link === undefined ? [...this.#retired] : [this.#link, ...this.#retired];
    this.#link = undefined;
    this.#state = { kind: "disposed" };
    this.#cancelRetry?.();
    this.#closing.abort(closedFailure(this.#key));
    await Promise.allSettled([this.#attempt, ...links.map((link) => this.#release(link))]);
    await this.#transport.close();
  }

  #connectNow(): Promise<void> {
    if (this.#state.kind === "disposed") return Promise.reject(closedFailure(this.#key));
    this.#attempt ??= this.#tryOnce().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  async #tryOnce(): Promise<void> {
    const { clientInfo, clock, logger, monotonic, random, spec, timers } = this.#options;
    this.#cancelRetry?.();
    this.#attemptedMs = monotonic.elapsedMs();
    if (this.#state.kind === "idle") this.#state = { kind: "connecting" };
    let lost: GatewayError | undefined;
    const events: LinkEvents = {
      onListChanged: () => {
        if (this.#link === link) this.#announcements.toolsChanged();
      },
      onLost: (error) => {
        if (this.#link === link) this.#onLost(link, error);
        else lost = error;
      },
    };
    const prior = this.#prior === undefined ? {} : { prior: this.#prior };
    const link = this.#transport.link({ spec, clock, monotonic, timers, random, logger, clientInfo, events, ...prior });
    try {
      const facts = await link.open(this.#closing.signal);
      if (lost !== undefined) throw lost;
      if (this.#isDisposed()) throw closedFailure(this.#key);
      this.#onUp(link, facts);
    } catch (thrown) {
      const error = GatewayError.from(thrown, "INTERNAL", `${connectorName(this.#key)} could not be connected`);
      await this.#release(link);
      if (!this.#isDisposed()) this.#onDown(error);
      throw error;
    }
  }

  /** Never rejects: a link that cannot be closed properly must not keep the next one from opening. */
  async #release(link: Link, options?: { readonly drain?: boolean }): Promise<void> {
    try {
      await link.close(options);
    } catch (error) {
      this.#options.logger.error({ connectorId: this.#key, err: error }, "A connection could not be released");
    }
  }

  /** A function, because the state may have changed while something was awaited. */
  #isDisposed(): boolean {
    return this.#state.kind === "disposed";
  }

  #onUp(link: Link, facts: UpstreamFacts): void {
    this.#link = link;
    this.#prior = facts;
    this.#upSinceMs = this.#options.monotonic.elapsedMs();
    this.#state = { kind: "up", facts };
    const { era, revision } = facts;
    this.#options.logger.debug({ connectorId: this.#key, era, revision }, "Upstream connected");
    this.#announcements.up();
  }

  #onLost(link: Link, error: GatewayError): void {
    this.#link = undefined;
    if (this.#options.monotonic.elapsedMs() - this.#upSinceMs >= STABLE_MS) this.#failures = 0;
    this.#retired.add(link);
    void this.#release(link, { drain: true }).then(() => this.#retired.delete(link));
    this.#onDown(error);
  }

  #onDown(error: GatewayError): void {
    const { clock, logger, random, timers } = this.#options;
    const attempt = this.#failures++;
    if (this.#transport.retryable) {
      const delayMs = backoffDelayMs(attempt, RECONNECT, random);
      this.#state = { kind: "down", error, attempt, retryAt: clock.now() + delayMs };
      this.#cancelRetry = timers.after(delayMs, () => this.#connectInBackground());
    } else {
      this.#state = { kind: "down", error, attempt };
    }
    logger.debug(
      { connectorId: this.#key, reason: error.message, detail: error.detail, attempt },
      "Upstream not connected",
    );
    this.#announcements.down(error);
  }

  #connectInBackground(): void {
    // How it ends is in the state; whoever asked by connect() hears it there.
    this.#connectNow().catch(() => {});
  }

  /** A call met a connector that is down: an upstream that is back need not be missed for the rest of a long backoff. */
  #probe(): void {
    if (this.#transport.kind !== "http" || !this.#transport.retryable || this.#isDisposed()) return;
    if (this.#options.monotonic.elapsedMs() - this.#attemptedMs >= PROBE_GAP_MS) this.#connectInBackground();
  }

  #sendLater(call: UpstreamCall, sink: AnswerSink): Exchange {
    const waiting = new WaitingExchange(sink);
    this.#connectNow().then(
      () => waiting.begin(() => this.send(call, sink)),
      () => waiting.fail(this.#unavailable()),
    );
    return waiting;
  }

  async #whenUp(): Promise<{ link: Link; facts: UpstreamFacts }> {
    if (this.#state.kind === "idle" || this.#state.kind === "connecting") await this.#connectNow();
    if (this.#link === undefined || this.#state.kind !== "up") throw this.#unavailable();
    return { link: this.#link, facts: this.#state.facts };
  }

  #unavailable(): GatewayError {
    if (this.#state.kind !== "down") return closedFailure(this.#key);
    const { error } = this.#state;
    const hope = this.#transport.retryable ? "; it is being tried again" : "";
    return new GatewayError("UPSTREAM_UNAVAILABLE", error.message + hope, { cause: error });
  }
}
