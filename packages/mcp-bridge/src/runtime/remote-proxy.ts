import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification, ListKind, LogLevel } from "@cortex-os/mcp-core/wire";
import { InFlight } from "../channel/in-flight.js";
import { closedFailure, connectorName } from "../http/failures.js";
import type { Link, UpstreamFacts } from "../link.js";
import { Announcements } from "./announcements.js";
import { ANSWERED, type AnswerSink, type Exchange, type UpstreamCall } from "./exchange.js";
import type { ForwardedResponse, ForwardRequest } from "./forward.js";
import { LeavingLinks } from "./leaving-links.js";
import type { UpstreamList } from "./list-all.js";
import { ProxyEnding } from "./proxy-ending.js";
import { isBeginning, unavailableFailure, type ProxyState } from "./proxy-state.js";
import { Reconnecting } from "./reconnecting.js";
import {
  resolveOptions,
  type CallToolOptions,
  type RemoteProxyOptions,
  type ResolvedOptions,
} from "./remote-proxy-options.js";
import { StandingWishes } from "./standing-wishes.js";
import { transportFor, type Transport } from "./transport.js";
import { UpstreamLists } from "./upstream-lists.js";
import { WaitingExchange } from "./waiting-exchange.js";

/**
 * One upstream MCP server, whatever its transport and era (R8). While it is away, calls fail at once with
 * UPSTREAM_UNAVAILABLE, and the proxy goes on trying to reach it (exponential backoff, full jitter, at most 30 s) until
 * it is disposed. A child that falls asleep is not away: what is asked of it waits until it has started again. Nothing is retried that may have been carried out (design.md, decision 9).
 */
export class RemoteProxy {
  readonly #options: ResolvedOptions;
  readonly #key: string;
  readonly #transport: Transport;
  readonly #announcements: Announcements;
  readonly #lists: UpstreamLists;
  readonly #wishes: StandingWishes;
  readonly #closing = new AbortController();
  readonly #reconnecting: Reconnecting;
  /** Links that take no new calls but still have some in flight. */
  readonly #leaving: LeavingLinks;
  readonly #ending: ProxyEnding;
  /** What waits for a connection. */
  readonly #waiting = new InFlight<object>();
  #state: ProxyState;
  #link: Link | undefined;
  #prior: UpstreamFacts | undefined;
  #attempt: Promise<void> | undefined;

  constructor(options: RemoteProxyOptions) {
    this.#options = resolveOptions(options);
    this.#key = this.#options.spec.key;
    this.#prior = this.#options.prior;
    this.#state = { kind: this.#options.asleep ? "asleep" : "idle" };
    this.#transport = transportFor(this.#options);
    this.#announcements = new Announcements(this.#options);
    this.#lists = new UpstreamLists(this.#options, this.#transport.kind === "http");
    this.#wishes = new StandingWishes(this.#options, this.#announcements);
    this.#reconnecting = new Reconnecting(this.#options);
    this.#leaving = new LeavingLinks(this.#key, this.#options.logger);
    this.#ending = new ProxyEnding({
      ...this.#options,
      ...{ key: this.#key, closing: this.#closing, waiting: this.#waiting, leaving: this.#leaving },
      rest: () => this.#reconnecting.cancel(),
      leave: () => this.#leave(),
      release: async () => {
        await Promise.allSettled([this.#attempt]);
        await this.#transport.close();
      },
    });
  }

  get state(): ProxyState {
    return this.#state;
  }

  /** What the upstream turned out to be; while it is away, what it was. `undefined` before the first connection. */
  get facts(): UpstreamFacts | undefined {
    return this.#state.kind === "up" ? this.#state.facts : this.#prior;
  }

  /** Whether `onListChanged` would be called if a list changed now; while it is false, only asking for it tells. See `Link`. */
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
   * One whole list of the upstream, each entry as it came.
   * @throws GatewayError UPSTREAM_UNAVAILABLE when it is down, UPSTREAM_TIMEOUT, UPSTREAM_LIMIT or UPSTREAM_PROTOCOL
   */
  async list(kind: ListKind): Promise<UpstreamList> {
    return this.#whenUp(async (link, facts) => this.#lists.list(kind, link, facts));
  }

  /**
   * A call of the gateway's own, not of a client's.
   * @returns the `CallToolResult`, also one with `isError`
   * @throws GatewayError as {@link list}, or CANCELLED
   */
  async callTool(name: string, args: JsonObject, options: CallToolOptions = {}): Promise<JsonObject> {
    return this.#whenUp(async (link, facts) => this.#lists.call(link, facts, name, args, options));
  }

  /** Forwards a client's request; see `Link.send`. Before the first connection and when asleep it waits, when down it fails at once. */
  send(call: UpstreamCall, sink: AnswerSink): Exchange {
    const { facts } = this;
    if (this.#link !== undefined && facts !== undefined) return this.#lists.send(this.#link, facts, call, sink);
    if (isBeginning(this.#state)) return this.#sendLater(call, sink);
    sink.fail(this.#unavailable());
    this.#probe();
    return ANSWERED;
  }

  /**
   * From now on changes of this resource are told by `onNotification`: over reconnects too, after each of which it counts as changed.
   * @throws GatewayError as `Link.subscribe`, and it is forgotten then; while the upstream is down it is remembered only
   */
  async subscribe(uri: string): Promise<void> {
    // Also while it wakes: what a known one refuses is refused to who asked, not forgotten.
    if (isBeginning(this.#state) && this.facts !== undefined) await Promise.allSettled([this.#connectNow()]);
    await this.#wishes.subscribe(uri);
  }

  /** The opposite; never rejects. */
  unsubscribe(uri: string): Promise<void> {
    return this.#wishes.unsubscribe(uri);
  }

  /** From which level on anybody wants log messages of what all callers share; remembered over reconnects. */
  setLogLevel(level: LogLevel): void {
    this.#wishes.setLogLevel(level);
  }

  /** Tells the upstream something that a legacy client told the gateway; see `Link.tellOfClient`. */
  tellOfClient(sessionKey: string, notification: JsonRpcNotification): void {
    this.#link?.tellOfClient(sessionKey, notification);
  }

  /** A client session ended: what the upstream holds for it is released. */
  endSession(sessionKey: string): void {
    this.#transport.endSession(sessionKey);
    this.#link?.endSession(sessionKey);
  }

  /**
   * One raw exchange with an HTTP upstream, connected or not, through the same sockets (R8).
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
    return this.#ending.dispose();
  }

  /**
   * {@link dispose}, when the calls in flight have ended. Until then it goes on with those, and takes no new ones, hears of no changes and connects no
   * more; what waits for the first connection counts as in flight. What has not ended after `graceMs` fails with UPSTREAM_UNAVAILABLE.
   *
   * @param why what became of the connector, as the middle of a sentence: "was changed"
   * @returns when all is released. Never rejects; a second call changes nothing, `dispose` ends it at once
   */
  retire(graceMs: number, why: string): Promise<void> {
    return this.#ending.retire(graceMs, why);
  }

  #leave(): void {
    if (this.#link !== undefined) this.#leaving.add(this.#link);
    this.#link = undefined;
    this.#wishes.move(undefined);
    this.#state = { kind: "disposed" };
  }

  #connectNow(): Promise<void> {
    if (this.#state.kind === "disposed") return Promise.reject(closedFailure(this.#key));
    this.#attempt ??= this.#tryOnce().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  async #tryOnce(): Promise<void> {
    this.#reconnecting.begun();
    const wasAsleep = this.#state.kind === "asleep";
    if (wasAsleep || this.#state.kind === "idle") this.#state = { kind: "connecting" };
    let lost: GatewayError | undefined;
    const onLost = (error: GatewayError) => {
      if (this.#link === link) this.#onLost(link, error);
      else lost = error;
    };
    const onIdle = () => this.#fallAsleep(link);
    const events = this.#announcements.ofLink(() => this.#link === link, { onLost, onIdle });
    const link = this.#transport.link({ ...this.#options, events, ...(this.#prior && { prior: this.#prior }) });
    try {
      // Two processes of one server at a time would take each other's files and ports.
      if (wasAsleep) await this.#leaving.whenGone();
      const facts = await link.open(this.#closing.signal);
      if (lost !== undefined) throw lost;
      if (this.#isDisposed()) throw closedFailure(this.#key);
      this.#onUp(link, facts);
    } catch (thrown) {
      await this.#leaving.release(link);
      if (this.#isDisposed()) throw this.#unavailable();
      const error = GatewayError.from(thrown, "INTERNAL", `${connectorName(this.#key)} could not be connected`);
      this.#onDown(error);
      throw error;
    }
  }

  /** A function, because the state may have changed while something was awaited. */
  #isDisposed(): boolean {
    return this.#state.kind === "disposed";
  }

  #onUp(link: Link, facts: UpstreamFacts): void {
    this.#link = link;
    this.#wishes.move(link);
    this.#prior = facts;
    this.#reconnecting.up();
    this.#state = { kind: "up", facts };
    this.#announcements.up(facts);
  }

  /** Nothing was asked of it for a while. What it listed stays in its owner's memory; the next request connects it again. */
  #fallAsleep(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#wishes.move(undefined);
    this.#leaving.add(link);
    this.#state = { kind: "asleep" };
    this.#announcements.asleep();
  }

  #onLost(link: Link, error: GatewayError): void {
    this.#link = undefined;
    this.#wishes.move(undefined);
    this.#reconnecting.lost();
    this.#leaving.add(link);
    this.#onDown(error);
  }

  #onDown(error: GatewayError): void {
    const attempt = this.#reconnecting.failed();
    const again = this.#transport.retryable && !this.#ending.isRetired;
    const retryAt = again ? this.#reconnecting.later(attempt, () => this.#connectInBackground()) : undefined;
    this.#state = { kind: "down", error, attempt, ...(retryAt === undefined ? {} : { retryAt }) };
    this.#announcements.down(error, attempt);
  }

  #connectInBackground(): void {
    // How it ends is in the state; whoever asked by connect() hears it there.
    this.#connectNow().catch(() => {});
  }

  /** A call met a connector that is down: an upstream that is back need not be missed for the rest of a long backoff. */
  #probe(): void {
    if (this.#transport.kind !== "http" || !this.#transport.retryable || this.#isDisposed()) return;
    if (this.#reconnecting.mayProbe) this.#connectInBackground();
  }

  #sendLater(call: UpstreamCall, sink: AnswerSink): Exchange {
    const waiting = new WaitingExchange(sink);
    const fail = () => waiting.fail(this.#unavailable());
    this.#whenConnected(() => waiting.begin(() => this.send(call, sink))).catch(fail);
    return waiting;
  }

  #whenConnected<T>(begin: () => T | Promise<T>): Promise<T> {
    return this.#waiting.during(this.#connectNow().then(begin));
  }

  async #whenUp<T>(begin: (link: Link, facts: UpstreamFacts) => Promise<T>): Promise<T> {
    if (isBeginning(this.#state)) return this.#whenConnected(async () => this.#whenUp(begin));
    if (this.#link === undefined || this.#state.kind !== "up") throw this.#unavailable();
    return begin(this.#link, this.#state.facts);
  }

  #unavailable(): GatewayError {
    return unavailableFailure(this.#key, this.#state, this.#closing.signal.reason);
  }
}
