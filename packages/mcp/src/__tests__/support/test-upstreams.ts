import type { Exchange, UpstreamCall, UpstreamFacts, UpstreamList } from "@cortex-os/mcp-bridge";
import type { ConnectorSpec } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification, ListKind, LogLevel, ServerFeature } from "@cortex-os/mcp-core/wire";
import type {
  CreateUpstream,
  EarlierUpstream,
  ReadySink,
  Upstream,
  UpstreamEvents,
} from "../../connectors/upstream.js";

type Hints = Omit<UpstreamList, "entries">;

interface Listing {
  readonly kind: ListKind;
  readonly resolve: (list: UpstreamList) => void;
  readonly reject: (error: unknown) => void;
}

/** One call an upstream was sent. */
export interface SentCall {
  readonly call: UpstreamCall;
  readonly sink: ReadySink;
  cancelled: string | undefined;
  resumed: number;
}

/** The other side of the `Upstream` port, in the hands of a test: it comes up, lists and answers when the test says so. */
export class TestUpstream implements Upstream {
  readonly spec: ConnectorSpec;
  /** What it was made with that was known before. */
  readonly earlier: EarlierUpstream | undefined;
  readonly sent: SentCall[] = [];
  readonly endedSessions: string[] = [];
  /** The resources it was asked to tell of, in order, and with a minus those it was asked to tell of no more. */
  readonly subscriptions: string[] = [];
  /** Refuses subscriptions with this. */
  subscribeFailure: Error | undefined;
  readonly logLevels: LogLevel[] = [];
  facts: UpstreamFacts | undefined;
  hearsChanges = false;
  connects = 0;
  disposals = 0;
  /** How it was retired: the grace, and why. */
  readonly retirements: [number, string][] = [];
  /** Calls that are in flight, for {@link retire}. */
  busy: Promise<void> | undefined;
  /** What connecting comes to; how it really goes is what {@link goUp} and {@link goDown} say. */
  connecting: Promise<void> | undefined;
  /** Rejects the next dispose with this. */
  disposeFailure: Error | undefined;
  readonly #events: UpstreamEvents;
  readonly #listings: Listing[] = [];
  #lists = 0;

  constructor(spec: ConnectorSpec, events: UpstreamEvents, earlier?: EarlierUpstream) {
    this.spec = spec;
    this.earlier = earlier;
    this.facts = earlier?.facts;
    this.#events = events;
  }

  /** How often it was asked for a list. */
  get lists(): number {
    return this.#lists;
  }

  /** How many of those wait for an answer. */
  get pendingLists(): number {
    return this.#listings.length;
  }

  /** Comes up, announcing these capabilities and saying these things of itself. */
  goUp(
    capabilities: JsonObject = { tools: {} },
    era: UpstreamFacts["era"] = "modern",
    said: Partial<UpstreamFacts> = {},
  ): void {
    this.facts = { era, revision: "2026-07-28", capabilities, detectedAt: "2026-01-01T00:00:00.000Z", ...said };
    this.#events.onAvailability(true);
  }

  goDown(reason?: string, detail?: string): void {
    this.facts = undefined;
    this.#events.onAvailability(false, reason, detail);
  }

  /** Its process is stopped, because nothing was asked of it. */
  fallAsleep(): void {
    this.#events.onAsleep();
  }

  /** Tells something outside of any request. */
  tell(notification: JsonRpcNotification, sessionKey?: string): void {
    this.#events.onNotification(notification, sessionKey);
  }

  announceChange(feature: ServerFeature = "tools"): void {
    this.#events.onListChanged(feature);
  }

  /** Answers the oldest pending list; settles before it resolves. */
  async answerList(names: readonly string[], hints: Hints = {}): Promise<void> {
    await this.answerTools(names.map(toolOf), hints);
  }

  async answerTools(tools: readonly JsonObject[], hints: Hints = {}): Promise<void> {
    await this.answer("tools", tools, hints);
  }

  /** Answers the oldest pending list of that kind; settles before it resolves. */
  async answer(kind: ListKind, entries: readonly JsonObject[], hints: Hints = {}): Promise<void> {
    this.#nextListing(kind).resolve({ ...hints, entries });
    await settle();
  }

  async failList(error: unknown, kind: ListKind = "tools"): Promise<void> {
    this.#nextListing(kind).reject(error);
    await settle();
  }

  /** Comes up and lists these tools. */
  async serve(...names: string[]): Promise<void> {
    this.goUp();
    await this.answerList(names);
  }

  async connect(): Promise<void> {
    this.connects += 1;
    if (this.connecting !== undefined) return this.connecting;
    return Promise.reject(new Error("the first attempt failed"));
  }

  async list(kind: ListKind): Promise<UpstreamList> {
    this.#lists += 1;
    return new Promise((resolve, reject) => {
      this.#listings.push({ kind, resolve, reject });
    });
  }

  send(call: UpstreamCall, sink: ReadySink): Exchange {
    const sent: SentCall = { call, sink, cancelled: undefined, resumed: 0 };
    this.sent.push(sent);
    return {
      cancel: (reason) => {
        sent.cancelled = reason ?? "";
      },
      resume: () => {
        sent.resumed += 1;
      },
    };
  }

  async subscribe(uri: string): Promise<void> {
    this.subscriptions.push(uri);
    if (this.subscribeFailure !== undefined) throw this.subscribeFailure;
    await Promise.resolve();
  }

  async unsubscribe(uri: string): Promise<void> {
    this.subscriptions.push(`-${uri}`);
    await Promise.resolve();
  }

  setLogLevel(level: LogLevel): void {
    this.logLevels.push(level);
  }

  async callTool(name: string, args: JsonObject): Promise<JsonObject> {
    return Promise.resolve({ called: name, args });
  }

  endSession(sessionKey: string): void {
    this.endedSessions.push(sessionKey);
  }

  async dispose(): Promise<void> {
    this.disposals += 1;
    this.facts = undefined;
    if (this.disposeFailure !== undefined) throw this.disposeFailure;
    await Promise.resolve();
  }

  async retire(graceMs: number, why: string): Promise<void> {
    this.retirements.push([graceMs, why]);
    this.facts = undefined;
    if (this.busy !== undefined) await this.busy;
    if (this.disposals === 0) await this.dispose();
  }

  #nextListing(kind: ListKind): Listing {
    const at = this.#listings.findIndex((listing) => listing.kind === kind);
    const [listing] = at === -1 ? [] : this.#listings.splice(at, 1);
    if (listing === undefined) throw new Error(`${this.spec.key} was not asked for its ${kind}`);
    return listing;
  }
}

/** Every upstream that was made, in order, and the way to make them. */
export class TestUpstreams {
  readonly made: TestUpstream[] = [];
  readonly create: CreateUpstream = (spec, events, earlier) => {
    const upstream = new TestUpstream(spec, events, earlier);
    this.made.push(upstream);
    return upstream;
  };

  /** The newest upstream of a connector. */
  of(key: string): TestUpstream {
    const upstream = this.made.findLast(({ spec }) => spec.key === key);
    if (upstream === undefined) throw new Error(`no upstream was made for ${key}`);
    return upstream;
  }
}

/** A small tool definition. */
export const toolOf = (name: string): JsonObject => ({ name, inputSchema: { type: "object" } });

/** Lets promises and what they start settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
