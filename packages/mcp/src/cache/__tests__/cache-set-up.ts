import type { Caller, Exchange } from "@cortex-os/mcp-bridge";
import type { ConnectorSpec } from "@cortex-os/mcp-core";
import { META, type JsonObject, type RequestId } from "@cortex-os/mcp-core/wire";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { specOf } from "../../__tests__/support/specs.js";
import { TestUpstreams, type SentCall, type TestUpstream } from "../../__tests__/support/test-upstreams.js";
import type { Upstream } from "../../connectors/upstream.js";
import { AnswerStore, DEFAULT_CACHE_BYTES } from "../answer-store.js";
import { cachingUpstreams } from "../caching-upstream.js";

/** A modern client of nobody in particular. */
export const MODERN: Caller = { era: "modern", revision: "2026-07-28", principal: "anonymous" };
/** A legacy one, in a session. */
export const LEGACY: Caller = { era: "legacy", revision: "2025-11-25", principal: "anonymous", sessionKey: "one" };

const REQUIRED_META = { [META.protocolVersion]: "2026-07-28", [META.clientCapabilities]: {} };

/** A read as a client sends it. */
export interface Read {
  readonly uri?: string;
  readonly id?: RequestId;
  readonly caller?: Caller;
  readonly meta?: JsonObject;
  readonly params?: JsonObject;
  readonly paramHeaders?: Readonly<Record<string, string>>;
}

/** A read that was sent, and where it is answered. */
export interface SentRead {
  readonly sink: RecordingSink;
  readonly exchange: Exchange;
  /** The request at the upstream; `undefined` when it never got there. */
  readonly upstream: SentCall | undefined;
  /** What the client was answered, when that is one whole message. */
  readonly answer: () => JsonObject;
}

/** What a set-up is in the hands of a test. */
export class CacheSetUp {
  readonly time = new ManualTime();
  readonly counted = { hits: 0, misses: 0, evictions: 0 };
  readonly store: AnswerStore;
  readonly #upstreams = new TestUpstreams();

  constructor(maxBytes: number = DEFAULT_CACHE_BYTES) {
    this.store = new AnswerStore(maxBytes, {
      clock: this.time,
      monotonic: this.time,
      observer: {
        cacheHit: () => void (this.counted.hits += 1),
        cacheMiss: () => void (this.counted.misses += 1),
        cacheEvicted: () => void (this.counted.evictions += 1),
      },
    });
  }

  /** A connector that is up. */
  connector(spec: Partial<ConnectorSpec> = {}, told: string[] = []): Connected {
    const create = cachingUpstreams(this.store, this.#upstreams.create);
    const events = {
      onAvailability: () => {},
      onListChanged: () => void told.push("list"),
      onNotification: () => void told.push("updated"),
      onQuestion: () => undefined,
      onIsolated: () => {},
      onAsleep: () => {},
    };
    const front = create(specOf("docs", spec), events);
    const back = this.#upstreams.of("docs");
    back.goUp({ resources: {} });
    return new Connected(front, back);
  }
}

/** A connector as its clients have it, and its upstream. */
export class Connected {
  readonly front: Upstream;
  readonly back: TestUpstream;

  constructor(front: Upstream, back: TestUpstream) {
    this.front = front;
    this.back = back;
  }

  read({ uri = "x://1", id = 1, caller = MODERN, meta = {}, params = {}, paramHeaders }: Read = {}): SentRead {
    const sink = new RecordingSink();
    const before = this.back.sent.length;
    const own = caller.era === "modern" ? { ...REQUIRED_META, ...meta } : meta;
    const call = { id, method: "resources/read", params: { uri, _meta: own, ...params }, caller };
    const exchange = this.front.send({ ...call, ...(paramHeaders === undefined ? {} : { paramHeaders }) }, sink);
    return { sink, exchange, upstream: this.back.sent[before], answer: () => answerOf(sink) };
  }

  /** A read that goes to the upstream and is answered, over HTTP, with this. */
  readThrough(result: JsonObject, read: Read = {}): SentRead {
    const sent = this.read(read);
    answerWith(sent, { jsonrpc: "2.0", id: read.id ?? 1, result });
    return sent;
  }
}

/** A result of a read, public for a minute unless it says otherwise. */
export const resultOf = (text = "hello", more: JsonObject = {}): JsonObject => ({
  resultType: "complete",
  contents: [{ uri: "x://1", text }],
  ttlMs: 60_000,
  cacheScope: "public",
  ...more,
});

/** Answers as a modern upstream over HTTP does to a modern client: as bytes. */
export function answerWith(sent: SentRead, message: JsonObject, status = 200): void {
  const sink = sinkOf(sent);
  const bytes = Buffer.from(JSON.stringify(message));
  sink.start(status, { "content-type": "application/json", "content-length": String(bytes.length) });
  // A chunk border in the middle of it.
  sink.write(bytes.subarray(0, 10));
  sink.write(bytes.subarray(10));
  sink.end();
}

/** Where the upstream answers. */
export function sinkOf({ upstream }: SentRead): SentCall["sink"] {
  if (upstream === undefined) throw new Error("the read did not reach the upstream");
  return upstream.sink;
}

function answerOf({ events }: RecordingSink): JsonObject {
  const [first] = events;
  if (first?.kind === "result") return { jsonrpc: "2.0", id: first.id, result: first.result as JsonObject };
  const text = events.flatMap((event) => (event.kind === "write" ? [event.text] : [])).join("");
  return JSON.parse(text) as JsonObject;
}
