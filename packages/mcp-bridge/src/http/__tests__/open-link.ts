import { RecordedQuestions } from "../../asking/__tests__/recorded-questions.js";
import {
  DEFAULT_TIMEOUTS,
  systemClock,
  systemMonotonic,
  systemTimers,
  type ConnectorSpec,
  type ConnectorTimeouts,
  type GatewayError,
} from "@cortex-os/mcp-core";
import { fixedRandom, RecordingLogger, type ManualTime } from "@cortex-os/mcp-core/testing";
import {
  LATEST_LEGACY,
  LATEST_MODERN,
  META,
  type JsonObject,
  type JsonRpcNotification,
  type RequestId,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";
import { onTestFinished } from "vitest";
import type { Dispatcher } from "undici";
import { ByteBudget } from "../../byte-budget.js";
import type { Link, UpstreamFacts } from "../../link.js";
import type { Caller, UpstreamCall } from "../../runtime/exchange.js";
import { HttpTransport } from "../http-transport.js";

export interface TestLinkOptions {
  readonly timeouts?: Partial<ConnectorTimeouts>;
  readonly headers?: Record<string, string>;
  readonly prior?: UpstreamFacts;
  readonly agent?: Dispatcher;
  readonly budget?: ByteBudget;
  /** Owns time instead of the machine. */
  readonly time?: ManualTime;
  /** Only the old HTTP+SSE transport. */
  readonly sse?: true;
}

export function specFor(
  url: string,
  options: Pick<TestLinkOptions, "timeouts" | "headers" | "sse"> = {},
): ConnectorSpec {
  return {
    key: "up",
    source: "registry",
    transport: {
      ...{ kind: "http", url, headers: options.headers ?? {} },
      ...(options.sse === undefined ? {} : { sse: options.sse }),
    },
    disabled: false,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    isolation: "shared",
  };
}

/** A link that is not open yet, and what it reports. */
export function testLink(url: string, options: TestLinkOptions = {}) {
  const spec = specFor(url, options);
  const logger = new RecordingLogger();
  const time = options.time ?? {
    now: () => systemClock.now(),
    elapsedMs: () => systemMonotonic.elapsedMs(),
    after: systemTimers.after,
  };
  const lost: GatewayError[] = [];
  const told: [JsonRpcNotification, string?][] = [];
  const questions = new RecordedQuestions();
  const changes = { count: 0 };
  const changed: ServerFeature[] = [];
  const { agent, prior, headers = {}, sse = false } = options;
  const transport = new HttpTransport({
    target: { key: spec.key, url, headers, sse, timeouts: spec.timeouts },
    logger,
    clock: time,
    timers: time,
    monotonic: time,
    budget: options.budget ?? new ByteBudget(64 * 1024 * 1024),
    ...(agent === undefined ? {} : { agent }),
  });
  const make = (): Link =>
    transport.link({
      spec,
      clock: time,
      monotonic: time,
      timers: time,
      random: fixedRandom(0.1),
      logger,
      events: {
        onListChanged: (feature) => {
          changes.count += 1;
          changed.push(feature);
        },
        onNotification: (notification, sessionKey) => {
          told.push(sessionKey === undefined ? [notification] : [notification, sessionKey]);
        },
        onQuestion: (sessionKey, question) => questions.ask(question, sessionKey),
        onIsolated: () => {},
        onIdle: () => {},
        onLost: (error) => {
          lost.push(error);
        },
      },
      ...(prior === undefined ? {} : { prior }),
    });
  const link = make();
  const close = async (): Promise<void> => {
    await link.close();
    await transport.close();
  };
  onTestFinished(close);
  return { link, make, transport, logger, lost, told, questions, changes, changed, close };
}

/** An open link. */
export async function openLink(url: string, options: TestLinkOptions = {}) {
  const made = testLink(url, options);
  const facts = await made.link.open(new AbortController().signal);
  return { ...made, facts };
}

export const MODERN_CALLER: Caller = { era: "modern", revision: LATEST_MODERN, principal: "anna" };

export const LEGACY_CALLER: Caller = {
  era: "legacy",
  revision: LATEST_LEGACY,
  principal: "anna",
  sessionKey: "client-1",
  clientInfo: { name: "old-client", version: "3" },
};

/** A `tools/call` as the gateway hands it on. */
export function toolCall(caller: Caller, id: RequestId = 7, meta: JsonObject = {}, name = "echo"): UpstreamCall {
  const modern: JsonObject = {
    [META.protocolVersion]: caller.revision,
    [META.clientInfo]: { name: "new-client", version: "1" },
    [META.clientCapabilities]: {},
  };
  const _meta = caller.era === "modern" ? { ...modern, ...meta } : meta;
  return { id, method: "tools/call", params: { name, arguments: { a: 1 }, _meta }, caller };
}
