import type { ConnectorSpec, NamePolicy } from "@cortex-os/mcp-core";
import type { Era, JsonObject, JsonRpcNotification, JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { specOf } from "../../__tests__/support/specs.js";
import { settle, TestUpstreams } from "../../__tests__/support/test-upstreams.js";
import { ConnectorDirectory } from "../../connectors/connector-directory.js";
import { resolveSettings } from "../gateway-settings.js";
import type { EndedRequest } from "../metered-sink.js";
import { Notices } from "../notices.js";
import { Router } from "../router.js";
import type { Scope } from "../scope.js";
import { Scopes } from "../scopes.js";
import { DEFAULT_SESSION_LIMITS, SessionStore } from "../session-store.js";

/** A modern client. */
export const CALLER = { era: "modern", revision: "2026-07-28", principal: "anonymous" } as const;

/** A started router over these connectors, whose upstreams are in the hands of the test. */
export async function setUp(
  keys: readonly string[],
  options: { names?: Partial<NamePolicy>; disabled?: string; pageSize?: number } = {},
) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const fresh: { freshen: () => Promise<void> | undefined } = { freshen: () => undefined };
  let { disabled } = options;
  const altered = new Map<string, Partial<ConnectorSpec>>();
  let tell: (keys: readonly string[]) => void = () => {};
  const upstreams = new TestUpstreams();
  const { names = {}, pageSize = 1_000 } = options;
  const settings = resolveSettings({ names, lists: { pageSize } });
  const directory = new ConnectorDirectory({
    createUpstream: upstreams.create,
    clock: time,
    monotonic: time,
    timers: time,
    random: fixedRandom(0.5),
    logger,
    sources: [
      {
        origin: "registry",
        start: async (listener) => {
          tell = (named) => {
            listener(named.map((key) => specOf(key, { disabled: key === disabled, ...altered.get(key) })));
          };
          tell(keys);
          await Promise.resolve();
        },
        reload: async () => Promise.resolve(),
        close: async () => Promise.resolve(),
        freshen: () => fresh.freshen(),
      },
    ],
    catalogPolicy: settings.catalog,
    startup: settings.startup,
    onChange: () => {
      notices.follow();
      scopes.follow();
    },
    onSync: () => {},
    onNotification: ({ key }, notification, sessionKey) => {
      notices.fromUpstream(key, notification, sessionKey);
    },
  });
  const observed: EndedRequest[] = [];
  const bugs: unknown[] = [];
  const sessions = new SessionStore({
    monotonic: time,
    timers: time,
    limits: DEFAULT_SESSION_LIMITS,
    onEnd: ({ id }) => {
      notices.sessionEnded(id);
    },
  });
  const scopes = new Scopes({
    directory,
    serverInfo: { name: "cortex-mcp", version: "1.2.3" },
    timers: time,
    settings,
    onListsChanged: (scope, changed) => {
      notices.listsChanged(scope, changed);
    },
    onGone: (scope) => {
      notices.scopeGone(scope);
    },
  });
  const notices = new Notices({
    ...{ directory, sessions, logger },
    ...{ monotonic: time, timers: time, random: fixedRandom(0.5) },
  });
  const { subscriptions, sessionRequests } = notices;
  directory.catalog.subscribe((_catalog, changed) => {
    notices.listsChanged(scopes.whole, changed);
  });
  const router = new Router({
    directory,
    subscriptions,
    sessions,
    sessionRequests,
    monotonic: time,
    observe: (request) => observed.push(request),
    onBug: (error) => bugs.push(error),
  });
  await directory.start();
  await settle();
  /** Asks in a scope, and says how. */
  const askIn = (scope: Scope, method: string, params?: JsonObject, era: Era = "modern", id: string | number = 1) => {
    const sink = new RecordingSink();
    const message: JsonRpcRequest = { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) };
    const exchange = router.handle({ message, caller: { ...CALLER, era }, scope }, sink);
    return { sink, exchange };
  };
  const ask = (method: string, params?: JsonObject, era?: Era, id?: string | number) =>
    askIn(scopes.whole, method, params, era, id);
  /** The scope of one connector. */
  const own = (key: string): Scope => {
    const scope = scopes.find(key);
    if (scope === undefined) throw new Error(`there is no connector ${key}`);
    return scope;
  };
  const name = (...named: string[]): void => {
    tell(named);
  };
  /** Which connector is disabled the next time they are named. */
  const disable = (key: string | undefined): void => {
    disabled = key;
  };
  /** Names the connectors again, this one with another address. */
  const replace = (key: string): void => {
    altered.set(key, { transport: { kind: "http", url: `http://127.0.0.1:9/${key}/${altered.size}`, headers: {} } });
    tell(keys);
  };
  /** A legacy client's session, and the way to ask in it. */
  const session = (scope: Scope = scopes.whole) => {
    const opened = sessions.create(scope, { ...CALLER, era: "legacy", revision: "2025-11-25" });
    const told: JsonRpcNotification[] = [];
    opened.listen({ notify: (notification) => told.push(notification), end: () => {} });
    const send = (method: string, params?: JsonObject) => {
      const sink = new RecordingSink();
      const message: JsonRpcRequest = { jsonrpc: "2.0", id: 1, method, ...(params === undefined ? {} : { params }) };
      router.handle({ message, caller: opened.caller, scope }, sink);
      return sink;
    };
    return { opened, told, send };
  };
  return {
    time,
    upstreams,
    directory,
    router,
    scopes,
    sessions,
    notices,
    subscriptions,
    observed,
    bugs,
    ask,
    askIn,
    own,
    session,
    fresh,
    name,
    disable,
    replace,
  };
}

/** A router over one connector that is up and offers `x`. */
export async function ready() {
  const parts = await setUp(["a"]);
  await parts.upstreams.of("a").serve("x");
  await settle();
  return parts;
}
