import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { Subscriptions } from "../subscriptions.js";

const metaOf = (id: string | number): JsonObject => ({ [META.subscriptionId]: id });
const acknowledged = (id: string | number, notifications: JsonObject): object => ({
  kind: "notify",
  notification: {
    jsonrpc: "2.0",
    method: "notifications/subscriptions/acknowledged",
    params: { _meta: metaOf(id), notifications },
  },
});
const changed = (id: string | number): object => ({
  kind: "notify",
  notification: { jsonrpc: "2.0", method: "notifications/tools/list_changed", params: { _meta: metaOf(id) } },
});

describe("subscriptions/listen (2026-07-28, Subscriptions)", () => {
  test("is acknowledged first, and hears of changes with its own id on every message", () => {
    const subscriptions = new Subscriptions();
    const sink = new RecordingSink();
    subscriptions.open(7, { notifications: { toolsListChanged: true } }, sink);
    subscriptions.toolsChanged();
    subscriptions.toolsChanged();
    expect(sink.events).toEqual([acknowledged(7, { toolsListChanged: true }), changed(7), changed(7)]);
  });

  test.each([
    ["an empty filter", { notifications: {} }],
    ["a refusal", { notifications: { toolsListChanged: false } }],
    ["a word instead of true", { notifications: { toolsListChanged: "true" } }],
    ["types that are not served", { notifications: { promptsListChanged: true, resourceSubscriptions: ["x:y"] } }],
  ])("with %s asked for, nothing is promised and nothing is told", (_what, params) => {
    const subscriptions = new Subscriptions();
    const sink = new RecordingSink();
    subscriptions.open("s", params, sink);
    subscriptions.toolsChanged();
    expect(sink.events).toEqual([acknowledged("s", {})]);
  });

  test.each([
    ["nothing", undefined],
    ["no filter", {}],
    ["a filter that is none", { notifications: null }],
    ["a filter that is a list", { notifications: ["toolsListChanged"] }],
  ])("with %s there is nothing to open: −32602", (_what, params) => {
    const subscriptions = new Subscriptions();
    const sink = new RecordingSink();
    subscriptions.open("s", params, sink).cancel();
    expect(sink.failure).toMatchObject({
      code: "INVALID_PARAMS",
      message: "params.notifications must be an object that says what to listen to",
    });
    expect(subscriptions.size).toBe(0);
  });

  test("only what is really sent is acknowledged", () => {
    const sink = new RecordingSink();
    new Subscriptions().open(1, { notifications: { toolsListChanged: true, promptsListChanged: true } }, sink);
    expect(sink.events).toEqual([acknowledged(1, { toolsListChanged: true })]);
  });

  test("several at once are told apart by their ids, and a cancelled one hears nothing more", () => {
    const subscriptions = new Subscriptions();
    const sinks = [new RecordingSink(), new RecordingSink()];
    const filter = { notifications: { toolsListChanged: true } };
    const [first] = sinks.map((sink, at) => subscriptions.open(at, filter, sink));
    expect(subscriptions.size).toBe(2);
    first?.cancel("enough");
    first?.cancel("again");
    first?.resume();
    expect(subscriptions.size).toBe(1);
    subscriptions.toolsChanged();
    expect(sinks.map(({ events }) => events.length)).toEqual([1, 2]);
  });

  test("ending all gives each its result, once, and forgets them", () => {
    const subscriptions = new Subscriptions();
    const sinks = [new RecordingSink(), new RecordingSink()];
    for (const [at, sink] of sinks.entries()) subscriptions.open(at, { notifications: {} }, sink);
    subscriptions.endAll();
    subscriptions.endAll();
    subscriptions.toolsChanged();
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
