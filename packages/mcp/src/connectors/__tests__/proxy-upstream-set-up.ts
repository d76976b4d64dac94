import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { Agent } from "undici";
import { onTestFinished } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import type { ConnectorProxy, ConnectorProxyOptions } from "../connector-proxy.js";
import { proxyUpstreams } from "../proxy-upstream.js";
import type { Upstream } from "../upstream.js";

const TIMEOUTS = { connectMs: 1_000, listMs: 2_000, callMs: 3_000, callMaxMs: 9_000, startMs: 9_000 };

/** A promise in the hands of the test. */
export class Answer<T> {
  resolve: (value: T) => void = () => {};
  reject: (error: unknown) => void = () => {};
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

/** A caller's proxy that answers when the test says so. */
export class TestProxy implements ConnectorProxy {
  readonly options: ConnectorProxyOptions;
  readonly connects: Answer<void>[] = [];
  readonly calls: unknown[][] = [];
  disconnects = 0;
  tools: () => unknown = () => [{ name: "t", inputSchema: { type: "object" } }];
  answer: () => unknown = () => ({ content: [] });
  onDisconnect: () => unknown = () => {};

  constructor(options: ConnectorProxyOptions) {
    this.options = options;
  }

  connect(): Promise<void> {
    const answer = new Answer<void>();
    this.connects.push(answer);
    return answer.promise;
  }

  getTools(): unknown {
    return this.tools();
  }

  callTool(...args: unknown[]): unknown {
    this.calls.push(args);
    return this.answer();
  }

  disconnect(): unknown {
    this.disconnects += 1;
    return this.onDisconnect();
  }
}

/** One upstream over such proxies, in the test's own time. */
export function setUpProxy(
  create: (options: ConnectorProxyOptions) => ConnectorProxy = (options) => new TestProxy(options),
) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const agent = new Agent();
  onTestFinished(async () => agent.destroy());
  const made: TestProxy[] = [];
  const heard: unknown[][] = [];
  const changes = { tools: 0 };
  const createUpstream = proxyUpstreams(
    {
      createProxy: (options) => {
        const proxy = create(options);
        if (proxy instanceof TestProxy) made.push(proxy);
        return proxy;
      },
      agent,
      clock: time,
      monotonic: time,
      timers: time,
      random: fixedRandom(0.5),
      logger,
    },
    () => {
      throw new Error("not an HTTP connector");
    },
  );
  const spec = specOf("k", {
    transport: { kind: "http", url: "https://a.example/mcp", headers: { "x-key": "secret" } },
    timeouts: TIMEOUTS,
  });
  const upstream: Upstream = createUpstream(spec, {
    onAvailability: (...args) => heard.push(args),
    onListChanged: () => {
      changes.tools += 1;
    },
    onNotification: () => {},
    onQuestion: () => undefined,
    onIsolated: () => {},
    onAsleep: () => {},
  });
  const proxy = (): TestProxy => {
    const last = made.at(-1);
    if (last === undefined) throw new Error("no proxy was made");
    return last;
  };
  /** Connects, as a connector does that looks at what it hears alone. */
  const begin = async (): Promise<void> => {
    upstream.connect().catch(() => {});
    await settle();
  };
  /** Ends the newest attempt well. */
  const goUp = async (): Promise<void> => {
    await begin();
    proxy().connects.at(-1)?.resolve();
    await settle();
  };
  return { time, logger, agent, made, heard, changes, createUpstream, upstream, proxy, begin, goUp };
}
