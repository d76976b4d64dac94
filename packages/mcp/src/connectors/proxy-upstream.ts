import {
  backoffDelayMs,
  GatewayError,
  type Clock,
  type ConnectorSpec,
  type Logger,
  type Monotonic,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";
import { LATEST_MODERN, type JsonObject, type ListKind } from "@cortex-os/mcp-core/wire";
import {
  ANSWERED,
  cutShortFailure,
  type AnswerSink,
  type Exchange,
  type UpstreamCall,
  type UpstreamFacts,
  type UpstreamList,
} from "@cortex-os/mcp-bridge";
import type { Dispatcher } from "undici";
import type { ConnectorProxy, CreateConnectorProxy } from "./connector-proxy.js";
import { ProxySeat } from "./proxy-seat.js";
import { resultOfProxy, toolsOfProxy } from "./proxy-tools.js";
import { wordOf, type ProxyWord } from "./proxy-word.js";
import type { CreateUpstream, Upstream, UpstreamEvents } from "./upstream.js";
import { withinDeadline } from "./within-deadline.js";

/** What upstreams made of a caller's proxies work through. */
export interface ProxyUpstreamDeps {
  readonly createProxy: CreateConnectorProxy;
  readonly agent: Dispatcher;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
}

const RECONNECT = { baseMs: 200, maxMs: 30_000 };
/** Up for this long, it is no flapping one: the next reconnect starts from the shortest delay again. */
const STABLE_MS = 10_000;

type Target = Extract<ConnectorSpec["transport"], { kind: "http" }>;

/** Makes upstreams of a caller's proxies; `others` makes those of connectors that are not reached over HTTP. */
export function proxyUpstreams(deps: ProxyUpstreamDeps, others: CreateUpstream): CreateUpstream {
  return (spec, events) => {
    const { transport } = spec;
    return transport.kind === "http" ? new ProxyUpstream(spec, transport, events, deps) : others(spec, events);
  };
}

/**
 * A caller's proxy as an upstream. The deadlines are here (`connectMs`, `listMs`, `callMs` of the connector), and it is tried again with exponential backoff
 * and full jitter until disposed, whatever the proxy does by itself. An attempt to connect that takes too long is given up together with its proxy.
 */
class ProxyUpstream implements Upstream {
  readonly hearsChanges = false;
  readonly #spec: ConnectorSpec;
  readonly #events: UpstreamEvents;
  readonly #deps: ProxyUpstreamDeps;
  /** Ends attempts to connect, and lists. */
  readonly #leaving = new AbortController();
  /** Ends calls. */
  readonly #ending = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();
  readonly #seat: ProxySeat;
  #facts: UpstreamFacts | undefined;
  #attempt: Promise<void> | undefined;
  #connecting = false;
  /** The proxy's last word on itself while it was connecting: it counts when that is over. */
  #saidMeanwhile: ProxyWord | undefined;
  #announced: string | undefined;
  #failures = 0;
  #upSinceMs = 0;
  #cancelRetry = (): void => {};
  #retired: Promise<void> | undefined;
  #disposed: Promise<void> | undefined;

  constructor(spec: ConnectorSpec, target: Target, events: UpstreamEvents, deps: ProxyUpstreamDeps) {
    this.#spec = spec;
    this.#events = events;
    this.#deps = deps;
    const { createProxy, agent, clock, timers, logger } = deps;
    const options = { connectorId: spec.key, url: target.url, headers: target.headers, agent, clock, logger };
    this.#seat = new ProxySeat({
      key: spec.key,
      create: (listeners) => createProxy({ ...options, ...listeners }),
      onWord: (word) => {
        this.#onWord(word);
      },
      onToolsChanged: () => {
        if (this.#facts !== undefined) events.onListChanged("tools");
      },
      timers,
      logger,
    });
  }

  get facts(): UpstreamFacts | undefined {
    return this.#facts;
  }

  connect(): Promise<void> {
    if (this.#facts !== undefined) return Promise.resolve();
    this.#attempt ??= this.#tryOnce().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  /** Its tools; such a proxy has nothing else to list. */
  async list(kind: ListKind): Promise<UpstreamList> {
    if (kind !== "tools") return { entries: [] };
    const proxy = this.#proxyInUse();
    const { listMs } = this.#spec.timeouts;
    const answer = await this.#within(listMs, "did not list its tools", () => proxy.getTools(), this.#leaving.signal);
    return { entries: toolsOfProxy(this.#spec.key, answer, this.#deps.logger) };
  }

  /** Fails: such a proxy is called through the tools it has in the registry, and nothing of a client's is forwarded to it. */
  send(_call: UpstreamCall, sink: AnswerSink): Exchange {
    sink.fail(this.#unavailable("takes no forwarded requests"));
    return ANSWERED;
  }

  /** Refuses: such a proxy has tools and nothing else. */
  subscribe(): Promise<void> {
    return Promise.reject(this.#unavailable("has no resources"));
  }

  unsubscribe(): Promise<void> {
    return Promise.resolve();
  }

  setLogLevel(): void {
    // Of its upstream's log messages nothing is known here.
  }

  async callTool(
    name: string,
    args: JsonObject,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<JsonObject> {
    const proxy = this.#proxyInUse();
    const call = (): unknown =>
      signal === undefined ? proxy.callTool(name, args) : proxy.callTool(name, args, { signal });
    const { callMs } = this.#spec.timeouts;
    const calling = this.#within(callMs, "did not answer", call, this.#ending.signal);
    this.#calls.add(calling);
    return resultOfProxy(await calling.finally(() => this.#calls.delete(calling)));
  }

  endSession(): void {
    // There are no sessions where nothing is forwarded.
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#end();
    return this.#disposed;
  }

  retire(graceMs: number, why: string): Promise<void> {
    this.#retired ??= this.#retire(graceMs, why);
    return this.#retired;
  }

  async #retire(graceMs: number, why: string): Promise<void> {
    const { key } = this.#spec;
    this.#leave();
    const cancel = this.#deps.timers.after(graceMs, () => {
      this.#deps.logger.warn({ connectorId: key, graceMs }, `Calls were cut short: their connector ${why}`);
      this.#ending.abort(cutShortFailure(key, why, graceMs));
    });
    if (this.#calls.size > 0) await Promise.allSettled(this.#calls);
    cancel();
    await this.dispose();
  }

  #leave(): void {
    this.#facts = undefined;
    this.#cancelRetry();
    this.#leaving.abort(this.#unavailable("is being closed"));
  }

  async #end(): Promise<void> {
    this.#leave();
    this.#ending.abort(this.#unavailable("is being closed"));
    this.#seat.leave();
    await this.#seat.whenReleased();
  }

  async #tryOnce(): Promise<void> {
    this.#cancelRetry();
    this.#saidMeanwhile = undefined;
    this.#connecting = true;
    try {
      await this.#connectProxy();
      this.#checkWord();
    } catch (thrown) {
      this.#connecting = false;
      const error = thrown instanceof Error ? thrown : this.#unavailable("could not be connected", { cause: thrown });
      if (!this.#leaving.signal.aborted) this.#onDown(wordOf(error));
      throw error;
    }
    this.#connecting = false;
    this.#onUp();
  }

  async #connectProxy(): Promise<void> {
    let hangs = false;
    try {
      const work = (): unknown => this.#seat.take().connect();
      await this.#within(this.#spec.timeouts.connectMs, "could not be connected", work, this.#leaving.signal, () => {
        hangs = true;
      });
    } finally {
      if (hangs) this.#seat.leave();
    }
  }

  /** A proxy may have connected and know better all the same. */
  #checkWord(): void {
    const word = this.#saidMeanwhile;
    if (word?.up === false) throw this.#unavailable(`is not up: ${word.reason ?? "its proxy says so"}`, word);
  }

  #onWord(word: ProxyWord): void {
    if (this.#leaving.signal.aborted) return;
    if (this.#connecting) this.#saidMeanwhile = word;
    else if (word.up && this.#facts === undefined) this.#onUp();
    else if (!word.up && this.#facts !== undefined) this.#onDown(word);
  }

  #onUp(): void {
    const { clock, monotonic } = this.#deps;
    this.#cancelRetry();
    this.#upSinceMs = monotonic.elapsedMs();
    // Of what a proxy speaks with its upstream nothing is known here; that it has tools is what it is for.
    const detectedAt = new Date(clock.now()).toISOString();
    this.#facts = { era: "modern", revision: LATEST_MODERN, capabilities: { tools: {} }, detectedAt };
    this.#announced = undefined;
    this.#events.onAvailability(true);
  }

  #onDown({ reason, detail }: ProxyWord): void {
    const { monotonic, random, timers } = this.#deps;
    if (this.#facts !== undefined && monotonic.elapsedMs() - this.#upSinceMs >= STABLE_MS) this.#failures = 0;
    this.#facts = undefined;
    this.#cancelRetry();
    this.#cancelRetry = timers.after(backoffDelayMs(this.#failures++, RECONNECT, random), () => {
      // How it ends is announced.
      this.connect().catch(() => {});
    });
    const news = `${reason}\n${detail}`;
    if (this.#announced === news) return;
    this.#announced = news;
    this.#events.onAvailability(false, reason, detail);
  }

  #proxyInUse(): ConnectorProxy {
    const { proxy } = this.#seat;
    if (this.#facts === undefined || proxy === undefined)
      throw this.#unavailable("is not connected; it is being tried again");
    return proxy;
  }

  #within(
    timeoutMs: number,
    what: string,
    work: () => unknown,
    signal: AbortSignal,
    onTooLate = (): void => {},
  ): Promise<unknown> {
    const deadline = {
      timers: this.#deps.timers,
      timeoutMs,
      signal,
      onAbort: () => GatewayError.from(signal.reason, "UPSTREAM_UNAVAILABLE", "The connector is being closed"),
      onTimeout: () => {
        onTooLate();
        return new GatewayError("UPSTREAM_TIMEOUT", `Connector "${this.#spec.key}" ${what} within ${timeoutMs} ms`);
      },
    };
    return withinDeadline(deadline, async () => work());
  }

  #unavailable(
    what: string,
    options: { readonly cause?: unknown; readonly detail?: string | undefined } = {},
  ): GatewayError {
    const { cause, detail } = options;
    const message = `Connector "${this.#spec.key}" ${what}`;
    return new GatewayError("UPSTREAM_UNAVAILABLE", message, {
      ...(cause === undefined ? {} : { cause }),
      ...(detail === undefined ? {} : { detail }),
    });
  }
}
