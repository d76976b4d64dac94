import type { ConnectorSpec } from "@cortex-os/mcp-core";
import type {
  AnswerSink,
  AskedQuestion,
  Exchange,
  UpstreamCall,
  UpstreamFacts,
  UpstreamList,
  UpstreamQuestion,
} from "@cortex-os/mcp-bridge";
import type {
  JsonObject,
  JsonRpcNotification,
  ListKind,
  LogLevel,
  RequestId,
  ServerFeature,
} from "@cortex-os/mcp-core/wire";

/** A result that can be had compressed. */
export interface PackedResult {
  /**
   * It in a gzip file, with something before and behind it, in pieces to be written one after the other.
   * @returns `undefined` when it is not worth it, or not ready yet
   */
  readonly gzip: (before: Buffer, behind: Buffer) => readonly Buffer[] | undefined;
}

/** Where the answer to a client's request goes: what the bridge needs, and a way for bytes that are ready. */
export interface ReadySink extends AnswerSink {
  /**
   * A good answer whose `result` member is already encoded, in pieces to be written one after the other.
   * @param packed the same, for a transport and a client that take it compressed
   */
  sendResult(id: RequestId, result: readonly Buffer[], packed?: PackedResult): void;
}

/** What a connector needs of the bridge; `RemoteProxy` is one. */
export interface Upstream {
  /** What the upstream turned out to be, while connected. */
  readonly facts: UpstreamFacts | undefined;
  /** Whether its announcements of changes really arrive now, whatever it claims. */
  readonly hearsChanges: boolean;
  /** Resolves when up. Rejects with the first failure, and goes on trying in the background until disposed. */
  connect(): Promise<void>;
  list(kind: ListKind): Promise<UpstreamList>;
  send(call: UpstreamCall, sink: ReadySink): Exchange;
  /**
   * Has `onNotification` told of changes of one of its resources, also after it was down; while it is down, it agrees.
   * @throws GatewayError when it refuses
   */
  subscribe(uri: string): Promise<void>;
  unsubscribe(uri: string): Promise<void>;
  /** The most verbose level at which anybody wants log messages of what all callers share. */
  setLogLevel(level: LogLevel): void;
  callTool(name: string, args: JsonObject, options?: { readonly signal?: AbortSignal }): Promise<JsonObject>;
  /** Passes on what a legacy client told the gateway, in the client's own session or process; absent when there are none. */
  tellOfClient?(sessionKey: string, notification: JsonRpcNotification): void;
  endSession(sessionKey: string): void;
  /** Ends it at once: calls in flight fail. */
  dispose(): Promise<void>;
  /**
   * Ends it when the calls in flight have ended; until then it takes no new ones and tells nothing. Those that have not ended after `graceMs` fail.
   * @param why what became of the connector, as the middle of a sentence: "was changed"
   */
  retire(graceMs: number, why: string): Promise<void>;
}

/** What an upstream tells its connector. */
export interface UpstreamEvents {
  /** `reason` is for anybody, `detail` for operators only. */
  readonly onAvailability: (up: boolean, reason?: string, detail?: string) => void;
  /** The lists of this feature changed, or may have. */
  readonly onListChanged: (feature: ServerFeature) => void;
  /**
   * What it tells outside of any request, and that is no change of a list.
   * @param sessionKey the client session that it is for, when it came from what only that one uses
   */
  readonly onNotification: (notification: JsonRpcNotification, sessionKey?: string) => void;
  /** It asks the client of a session something outside of its requests. @returns `undefined` when there is no way to the client */
  readonly onQuestion: (sessionKey: string, question: UpstreamQuestion) => AskedQuestion | undefined;
  /** It asked something that several clients could have been meant by: from now on each client session has a process of its own. */
  readonly onIsolated: () => void;
  /** Nothing was asked of it for a while, and its process was stopped: what is asked of it starts that again, and `onAvailability` tells how it went. */
  readonly onAsleep: () => void;
}

/** What was learned of an upstream in an earlier life of the gateway. */
export interface EarlierUpstream {
  readonly facts: UpstreamFacts;
  /** Its tools as it listed them. */
  readonly tools: readonly JsonObject[];
  /** Whether it is to begin asleep: nothing of it is started before something is asked of it. */
  readonly asleep: boolean;
}

/** Makes the upstream of a connector; injected, so that the connectors do not know how one is reached. */
export type CreateUpstream = (spec: ConnectorSpec, events: UpstreamEvents, earlier?: EarlierUpstream) => Upstream;
