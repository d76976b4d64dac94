import type { Logger, Monotonic, RandomSource, Timers } from "@cortex-os/mcp-core";
import { isLogWanted, type JsonObject, type JsonRpcNotification, type ServerFeature } from "@cortex-os/mcp-core/wire";
import { Brake } from "../connectors/brake.js";
import type { ConnectorDirectory } from "../connectors/connector-directory.js";
import { Herd, type ListListener } from "./herd.js";
import { LogInterest } from "./log-interest.js";
import { ResourceWatches } from "./resource-watches.js";
import type { Scope } from "./scope.js";
import { SessionRequests } from "./session-requests.js";
import type { ClientSession } from "./client-session.js";
import type { SessionStore } from "./session-store.js";
import { Subscriptions } from "./subscriptions.js";

/** What {@link Notices} work through. */
export interface NoticesDeps {
  readonly directory: ConnectorDirectory;
  readonly sessions: SessionStore;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
}

/**
 * Between two notices to clients that lists changed: each makes every one of them list again, and none may be late by a second (issue 4: hot reload). The gap grows
 * while changes go on.
 */
const TELLING = { gapMs: 100, maxGapMs: 500 };

/** Everything that clients hear without having asked for it just now: that lists or resources changed, and log messages. */
export class Notices {
  /** The modern era's streams. */
  readonly subscriptions: Subscriptions;
  /** What legacy clients ask to hear in their sessions. */
  readonly sessionRequests: SessionRequests;
  readonly #deps: NoticesDeps;
  readonly #watches: ResourceWatches;
  readonly #logInterest: LogInterest;
  /** Features whose lists changed and of which the clients of a scope were not told yet. */
  readonly #untold = new Map<Scope, Set<ServerFeature>>();
  readonly #telling: Brake;
  readonly #herd: Herd;

  constructor(deps: NoticesDeps) {
    const { directory, timers, logger } = deps;
    this.#deps = deps;
    this.#logInterest = new LogInterest(() => directory.connectors);
    this.#watches = new ResourceWatches({ upstreamOf: (key) => directory.find(key)?.upstream, logger });
    this.subscriptions = new Subscriptions({ watches: this.#watches, timers });
    this.sessionRequests = new SessionRequests({ watches: this.#watches, logInterest: this.#logInterest });
    this.#herd = new Herd(deps);
    this.#telling = new Brake(deps, TELLING, () => {
      this.#tellOfLists();
    });
  }

  /** Lists that clients of the scope have seen are not what they were. */
  listsChanged(scope: Scope, features: ReadonlySet<ServerFeature>): void {
    const untold = this.#untold.get(scope) ?? new Set();
    this.#untold.set(scope, untold);
    for (const feature of features) untold.add(feature);
    this.#telling.request();
  }

  /** Nothing leads to this scope any more: whoever listens to it hears that this is over. */
  scopeGone(scope: Scope): void {
    this.#untold.delete(scope);
    this.subscriptions.endScope(scope);
    this.#deps.sessions.endScope(scope, `connector "${scope.connector}" was removed`);
  }

  /** Connectors came, went or were replaced: those that are new are asked what their predecessors were. */
  follow(): void {
    this.#watches.follow();
    this.#logInterest.follow();
  }

  /** An upstream told something outside of any request; `sessionKey` as in `UpstreamEvents`. */
  fromUpstream(connector: string, notification: JsonRpcNotification, sessionKey: string | undefined): void {
    const { method, params } = notification;
    if (method === "notifications/resources/updated") {
      this.#watches.updated(connector, params ?? {}, sessionKey);
      return;
    }
    for (const session of this.#sessionsFor(sessionKey)) {
      const { connector: own = connector } = session.scope;
      if (own === connector && isFor(session, method, params)) session.notify(notification);
    }
  }

  /** What it wanted to hear is of no interest any more. */
  sessionEnded(id: string): void {
    this.#logInterest.forget(id);
  }

  /** Nothing more is told. */
  stop(): void {
    this.#telling.cancel();
    this.#herd.stop();
  }

  #tellOfLists(): void {
    const listeners = this.#listenersByScope();
    for (const [scope, features] of this.#untold) this.#herd.add(listeners.get(scope) ?? [], features);
    this.#untold.clear();
    this.#herd.tell();
  }

  /**
   * Who is told by a message; a session without a stream only makes a note, which costs nothing. One look at everybody, however many connectors changed: each may have
   * clients of its own.
   */
  #listenersByScope(): ReadonlyMap<Scope, readonly ListListener[]> {
    const found = new Map<Scope, ListListener[]>();
    const add = (scope: Scope, listener: ListListener): void => {
      const those = found.get(scope);
      if (those === undefined) found.set(scope, [listener]);
      else those.push(listener);
    };
    for (const subscription of this.subscriptions.all()) {
      const features = this.#untold.get(subscription.scope);
      if (features !== undefined && subscription.wantsAny(features)) add(subscription.scope, subscription);
    }
    for (const session of this.#deps.sessions.all()) {
      const features = this.#untold.get(session.scope);
      if (features === undefined) continue;
      if (session.isListening) add(session.scope, session);
      else for (const feature of features) session.listChanged(feature);
    }
    return found;
  }

  #sessionsFor(key: string | undefined): Iterable<ClientSession> {
    const { sessions } = this.#deps;
    if (key === undefined) return sessions.all();
    const own = sessions.find(key);
    return own === undefined ? [] : [own];
  }
}

/** A log message is for the sessions that want its level; what nobody here knows is for every session. */
function isFor({ caller }: ClientSession, method: string, params: JsonObject | undefined): boolean {
  if (method !== "notifications/message") return true;
  return caller.logLevel !== undefined && isLogWanted(params?.["level"], caller.logLevel);
}
