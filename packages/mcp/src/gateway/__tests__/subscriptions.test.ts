import { GatewayError } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { LIST_CHANGES, META, SERVER_FEATURES, type JsonObject, type ServerFeature } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import type { ResourceListener } from "../resource-watches.js";
import { Subscriptions } from "../subscriptions.js";
import { fakeScope } from "./fake-scope.js";

const SCOPE = fakeScope();

const metaOf = (id: string | number): JsonObject => ({ [META.subscriptionId]: id });
const notified = (method: string, params: JsonObject): object => ({
  kind: "notify",
  notification: { jsonrpc: "2.0", method, params },
});
const acknowledged = (id: string | number, notifications: JsonObject): object =>
  notified("notifications/subscriptions/acknowledged", { notifications, _meta: metaOf(id) });
const changed = (id: string | number): object => notified("notifications/tools/list_changed", { _meta: metaOf(id) });
const updated = (id: string | number, uri: string): object =>
  notified("notifications/resources/updated", { uri, _meta: metaOf(id) });

/** What becomes of a change: whoever asked for it is told. */
function listChanged(subscriptions: Subscriptions, feature: ServerFeature): void {
  for (const listener of subscriptions.all())
    if (listener.scope === SCOPE && listener.wantsAny(new Set([feature]))) listener.listChanged(feature);
}

/** Subscriptions over resources whose upstreams agree when the test says so. */
function setUp() {
  const time = new ManualTime();
  const watched = new Map<
    string,
    { listener: ResourceListener; agree: () => void; refuse: () => void; ended: number }
  >();
  const watch = async (_scope: unknown, uri: string, listener: ResourceListener): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const entry = {
        listener,
        ended: 0,
        agree: () => {
          resolve(() => {
            entry.ended += 1;
          });
        },
        refuse: () => {
          reject(new GatewayError("INVALID_PARAMS", `Unknown resource: ${uri}`));
        },
      };
      watched.set(uri, entry);
    });
  const of = (uri: string) => {
    const entry = watched.get(uri);
    if (entry === undefined) throw new Error(`${uri} is not watched`);
    return entry;
  };
  return { time, of, watched, subscriptions: new Subscriptions({ watches: { watch }, timers: time }) };
}

describe("subscriptions/listen (2026-07-28, Subscriptions)", () => {
  test("is acknowledged first, and hears of changes with its own id on every message", () => {
    const { subscriptions } = setUp();
    const sink = new RecordingSink();
    subscriptions.open(7, { notifications: { toolsListChanged: true } }, sink, SCOPE);
    listChanged(subscriptions, "tools");
    listChanged(subscriptions, "tools");
    expect(sink.events).toEqual([acknowledged(7, { toolsListChanged: true }), changed(7), changed(7)]);
  });

  test.each(SERVER_FEATURES)("hears of changes of %s alone when it asked for those alone", (feature) => {
    const { subscriptions } = setUp();
    const sink = new RecordingSink();
    const { filter, notification } = LIST_CHANGES[feature];
    subscriptions.open("s", { notifications: { [filter]: true } }, sink, SCOPE);
    for (const any of SERVER_FEATURES) listChanged(subscriptions, any);
    expect(sink.events).toEqual([
      acknowledged("s", { [filter]: true }),
      notified(notification, { _meta: metaOf("s") }),
    ]);
  });

  test.each([
    ["an empty filter", { notifications: {} }],
    ["a refusal", { notifications: { toolsListChanged: false } }],
    ["a word instead of true", { notifications: { toolsListChanged: "true" } }],
    ["what nobody knows", { notifications: { moonPhaseChanged: true } }],
    ["no resource at all", { notifications: { resourceSubscriptions: [] } }],
  ])("with %s asked for, nothing is promised and nothing is told", (_what, params) => {
    const { subscriptions } = setUp();
    const sink = new RecordingSink();
    subscriptions.open("s", params, sink, SCOPE);
    for (const feature of SERVER_FEATURES) listChanged(subscriptions, feature);
    expect(sink.events).toEqual([acknowledged("s", {})]);
  });

  test.each([
    ["nothing", undefined, "params.notifications must be an object"],
    ["no filter", {}, "params.notifications must be an object"],
    ["a filter that is none", { notifications: null }, "params.notifications must be an object"],
    ["a filter that is a list", { notifications: ["toolsListChanged"] }, "params.notifications must be an object"],
    ["resources that are none", { notifications: { resourceSubscriptions: [7] } }, "must be a list of URIs"],
    ["one resource and no list", { notifications: { resourceSubscriptions: "x:y" } }, "must be a list of URIs"],
    [
      "too many resources",
      { notifications: { resourceSubscriptions: Array.from({ length: 1_001 }, (_, at) => `x:${at}`) } },
      "1000 resources at most",
    ],
  ])("with %s there is nothing to open: −32602", (_what, params, message) => {
    const { subscriptions } = setUp();
    const sink = new RecordingSink();
    subscriptions.open("s", params, sink, SCOPE).cancel();
    expect(sink.failure.code).toBe("INVALID_PARAMS");
    expect(sink.failure.message).toContain(message);
    expect(subscriptions.size).toBe(0);
  });

  test("several at once are told apart by their ids, and a cancelled one hears nothing more", () => {
    const { subscriptions } = setUp();
    const sinks = [new RecordingSink(), new RecordingSink()];
    const filter = { notifications: { toolsListChanged: true } };
    const [first] = sinks.map((sink, at) => subscriptions.open(at, filter, sink, SCOPE));
    expect(subscriptions.size).toBe(2);
    first?.cancel("enough");
    first?.cancel("again");
    first?.resume();
    expect(subscriptions.size).toBe(1);
    listChanged(subscriptions, "tools");
    expect(sinks.map(({ events }) => events.length)).toEqual([1, 2]);
  });

  test("ending all gives each its result, once, and forgets them", () => {
    const { subscriptions } = setUp();
    const sinks = [new RecordingSink(), new RecordingSink()];
    for (const [at, sink] of sinks.entries()) subscriptions.open(at, { notifications: {} }, sink, SCOPE);
    subscriptions.endAll();
    subscriptions.endAll();
    listChanged(subscriptions, "tools");
    for (const [at, sink] of sinks.entries()) {
      expect(sink.events).toEqual([
        acknowledged(at, {}),
        {
          kind: "respond",
          response: { jsonrpc: "2.0", id: at, result: { resultType: "complete", _meta: metaOf(at) } },
        },
      ]);
    }
    expect(subscriptions.size).toBe(0);
  });
});

describe("resources of a subscription", () => {
  const ask = (...uris: string[]): JsonObject => ({
    notifications: { resourceSubscriptions: uris, toolsListChanged: true },
  });

  test("are acknowledged when their upstreams agreed; those that refused are left out", async () => {
    const { subscriptions, of, time } = setUp();
    const sink = new RecordingSink();
    subscriptions.open(1, ask("a:1", "a:2", "a:1"), sink, SCOPE);
    of("a:1").agree();
    of("a:2").refuse();
    await settle();
    expect(sink.events).toEqual([acknowledged(1, { toolsListChanged: true, resourceSubscriptions: ["a:1"] })]);
    of("a:1").listener({ uri: "a:1" });
    expect(sink.events.at(-1)).toEqual(updated(1, "a:1"));
    expect(time.pending).toBe(0);
  });

  test("an upstream that takes its time is promised after two seconds: nobody waits for it", async () => {
    const { subscriptions, of, time } = setUp();
    const sink = new RecordingSink();
    subscriptions.open(1, ask("a:1", "a:2"), sink, SCOPE);
    of("a:1").agree();
    await time.advance(1_999);
    expect(sink.events).toEqual([]);
    await time.advance(1);
    expect(sink.events).toEqual([acknowledged(1, { toolsListChanged: true, resourceSubscriptions: ["a:1", "a:2"] })]);
    of("a:2").refuse();
    await settle();
    expect(sink.events).toHaveLength(1);
  });

  test("what happens before the acknowledgement is told after it, each thing once", async () => {
    const { subscriptions, of } = setUp();
    const sink = new RecordingSink();
    subscriptions.open(1, ask("a:1", "a:2"), sink, SCOPE);
    of("a:1").agree();
    await settle();
    listChanged(subscriptions, "tools");
    listChanged(subscriptions, "tools");
    of("a:1").listener({ uri: "a:1" });
    of("a:1").listener({ uri: "a:1" });
    expect(sink.events).toEqual([]);
    of("a:2").agree();
    await settle();
    expect(sink.events.slice(1)).toEqual([changed(1), updated(1, "a:1")]);
  });

  test("are let go when the client gives the subscription up, before or after they agreed", async () => {
    const { subscriptions, of, time } = setUp();
    const sink = new RecordingSink();
    const exchange = subscriptions.open(1, ask("a:1", "a:2"), sink, SCOPE);
    of("a:1").agree();
    await settle();
    exchange.cancel();
    of("a:2").agree();
    await settle();
    expect([of("a:1").ended, of("a:2").ended]).toEqual([1, 1]);
    await time.advance(10_000);
    expect(sink.events).toEqual([]);
  });

  test("a stream that ends with the gateway hears its result, acknowledged or not", async () => {
    const { subscriptions, of } = setUp();
    const sink = new RecordingSink();
    subscriptions.open(1, ask("a:1"), sink, SCOPE);
    subscriptions.endAll();
    of("a:1").agree();
    await settle();
    expect(sink.events).toMatchObject([{ kind: "respond", response: { id: 1 } }]);
    expect(of("a:1").ended).toBe(1);
  });
});
