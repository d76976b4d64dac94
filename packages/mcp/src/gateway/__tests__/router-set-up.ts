import { DEFAULT_NAME_POLICY, type NamePolicy } from "@cortex-os/mcp-core";
import type { Era, JsonObject, JsonRpcNotification, JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { specOf } from "../../__tests__/support/specs.js";
import { settle, TestUpstreams } from "../../__tests__/support/test-upstreams.js";
import { DEFAULT_CATALOG_POLICY } from "../../catalog/catalog.js";
import { ConnectorDirectory } from "../../connectors/connector-directory.js";
import { DEFAULT_STARTUP } from "../../connectors/start-gate.js";
import type { EndedRequest } from "../metered-sink.js";
import { Notices } from "../notices.js";
import { Router } from "../router.js";
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
  let tell: (keys: readonly string[]) => void = () => {};
  const upstreams = new TestUpstreams();
  const names = { ...DEFAULT_NAME_POLICY, ...options.names };
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
            listener(named.map((key) => specOf(key, { disabled: key === options.disabled })));
          };
          tell(keys);
          await Promise.resolve();
        },
        reload: async () => Promise.resolve(),
        close: async () => Promise.resolve(),
        freshen: () => fresh.freshen(),
      },
    ],
    catalogPolicy: { ...DEFAULT_CATALOG_POLICY, names, pageSize: options.pageSize ?? 1_000 },
    startup: DEFAULT_STARTUP,
    onChange: () => {
      notices.follow();
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
  const notices = new Notices({ directory, sessions, monotonic: time, timers: time, logger });
  const { subscriptions, sessionRequests } = notices;
  directory.catalog.subscribe((_catalog, changed) => {
    notices.listsChanged(changed);
  });
  const router = new Router({
    directory,
    subscriptions,
    sessions,
    sessionRequests,
    monotonic: time,
    observe: (request) => observed.push(request),
    onBug: (error) => bugs.push(error),
    serverInfo: { name: "cortex-mcp", version: "1.2.3" },
    separator: names.prefix === "always" ? names.separator : undefined,
    discoverTtlMs: 300_000,
  });
  await directory.start();
  await settle();
  const ask = (method: string, params?: JsonObject, era: Era = "modern", id: string | number = 1) => {
    const sink = new RecordingSink();
    const message: JsonRpcRequest = { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) };
    const exchange = router.handle({ message, caller: { ...CALLER, era } }, sink);
    return { sink, exchange };
  };
  const name = (...named: string[]): void => {
    tell(named);
  };
  /** A legacy client's session, and the way to ask in it. */
  const session = () => {
    const opened = sessions.create({ ...CALLER, era: "legacy", revision: "2025-11-25" });
    const told: JsonRpcNotification[] = [];
    opened.listen({ notify: (notification) => told.push(notification), end: () => {} });
    const send = (method: string, params?: JsonObject) => {
      const sink = new RecordingSink();
      const message: JsonRpcRequest = { jsonrpc: "2.0", id: 1, method, ...(params === undefined ? {} : { params }) };
      router.handle({ message, caller: opened.caller }, sink);
      return sink;
    };
    return { opened, told, send };
  };
  return {
    time,
    upstreams,
    directory,
    router,
    sessions,
    notices,
    subscriptions,
    observed,
    bugs,
    ask,
    session,
    fresh,
    name,
  };
}

/** A router over one connector that is up and offers `x`. */
export async function ready() {
  const parts = await setUp(["a"]);
  await parts.upstreams.of("a").serve("x");
  await settle();
  return parts;
}
