import { GatewayError } from "@cortex-os/mcp-core";
import { LIST_CHANGES, META, type JsonObject, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUp } from "./router-set-up.js";

const TELLS = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} };
const CHANGED = LIST_CHANGES.tools.notification;

/** Connectors `a` and `b`, both up with one tool and one resource of the same names; `a` tells of changes. */
async function ready(capabilities: JsonObject = TELLS) {
  const parts = await setUp(["a", "b"]);
  for (const key of ["a", "b"]) {
    const upstream = parts.upstreams.of(key);
    upstream.goUp(key === "a" ? capabilities : { tools: {}, resources: {} });
    await upstream.answer("resources", [{ uri: "x:1", name: "one" }]);
    await upstream.answer("resourceTemplates", []);
    await upstream.answerList(["x"]);
  }
  // The start is over, and whoever came meanwhile was told.
  await parts.time.advance(1_000);
  return { ...parts, a: parts.upstreams.of("a"), b: parts.upstreams.of("b") };
}

type Parts = Awaited<ReturnType<typeof ready>>;

/** Has a connector list other tools, and clients told of it. */
async function changeTools({ upstreams, time }: Parts, key: string, ...names: string[]): Promise<void> {
  upstreams.of(key).announceChange("tools");
  await time.advance(1_000);
  await upstreams.of(key).answerList(names);
  await time.advance(1_000);
}

const methods = (told: readonly JsonRpcNotification[]): string[] => told.map(({ method }) => method);

describe("what clients of one connector hear of its lists", () => {
  test("is its own changes and nobody else's, in sessions and on streams", async () => {
    const parts = await ready();
    const { askIn, own, session, scopes } = parts;
    const listen = { notifications: { toolsListChanged: true } };
    const [ofA, ofAll] = [session(own("a")).told, session().told];
    const streams = [
      askIn(own("a"), "subscriptions/listen", listen).sink,
      askIn(scopes.whole, "subscriptions/listen", listen).sink,
    ];
    const heard = (): number[] => streams.map(({ events }) => events.length - 1);
    await changeTools(parts, "b", "x", "y");
    expect([methods(ofA), methods(ofAll), heard()]).toEqual([[], [CHANGED], [0, 1]]);
    await changeTools(parts, "a", "x", "z");
    expect([methods(ofA), methods(ofAll), heard()]).toEqual([[CHANGED], [CHANGED, CHANGED], [1, 2]]);
  });

  test("is nothing that it did not promise", async () => {
    const parts = await ready();
    const { askIn, own, session } = parts;
    const { told } = session(own("b"));
    const listen = { notifications: { toolsListChanged: true, promptsListChanged: true } };
    const { sink } = askIn(own("b"), "subscriptions/listen", listen);
    expect(sink.only).toMatchObject({ notification: { params: { notifications: {} } } });
    await changeTools(parts, "b", "x", "y");
    expect([told, sink.events.length]).toEqual([[], 1]);
    expect(JSON.stringify(askIn(own("b"), "tools/list").sink.only)).toContain('"y"');
  });

  test("is what changed while it was disabled, once it is back", async () => {
    const parts = await ready();
    const { own, session, name, disable, upstreams, time } = parts;
    const { told, send } = session(own("a"));
    disable("a");
    name("a", "b");
    await settle();
    expect(send("tools/list").failure.message).toBe('Not available: connector "a" is disabled');
    expect(send("vendor/x").failure.message).toBe('Not available: connector "a" is disabled');
    disable(undefined);
    name("a", "b");
    await settle();
    upstreams.of("a").goUp({ tools: { listChanged: true } });
    await upstreams.of("a").answerList(["other"]);
    await time.advance(1_000);
    expect(methods(told)).toEqual([CHANGED]);
    expect(send("tools/list").only).toMatchObject({ result: { tools: [{ name: "other" }] } });
  });
});

describe("what clients of one connector hear of its resources", () => {
  test("is told by its own URIs, though others have the same", async () => {
    const { askIn, own, session, a } = await ready();
    const { told, send } = session(own("a"));
    send("resources/subscribe", { uri: "x:1" });
    const listen = { notifications: { resourceSubscriptions: ["x:1"] } };
    const { sink } = askIn(own("a"), "subscriptions/listen", listen, "modern", 5);
    await settle();
    a.tell({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "x:1" } });
    a.tell({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "x:1/part" } });
    expect(a.subscriptions).toEqual(["x:1"]);
    expect(told.map(({ params }) => params)).toEqual([{ uri: "x:1" }, { uri: "x:1/part" }]);
    expect(sink.events.at(-1)).toMatchObject({
      notification: { params: { uri: "x:1/part", _meta: { [META.subscriptionId]: 5 } } },
    });
  });

  test("one that its upstream refuses is not granted, and fails a session's request", async () => {
    const { askIn, own, session, a } = await ready();
    a.subscribeFailure = new GatewayError("UPSTREAM_PROTOCOL", "no such resource");
    const { sink } = askIn(own("a"), "subscriptions/listen", { notifications: { resourceSubscriptions: ["x:9"] } });
    const refused = session(own("a")).send("resources/subscribe", { uri: "x:9" });
    await settle();
    expect(sink.only).toMatchObject({ notification: { params: { notifications: {} } } });
    expect(refused.failure.message).toBe("no such resource");
  });
});

describe("what one connector does not offer", () => {
  test.each([
    ["logging/setLevel", { level: "debug" }],
    ["resources/subscribe", { uri: "x:1" }],
  ])("%s is a method that it does not know", async (method, params) => {
    const { own, session } = await ready();
    const sink = session(own("b")).send(method, params);
    await settle();
    expect(sink.failure.code).toBe("METHOD_UNKNOWN");
  });
});

describe("what clients of one connector hear of its log", () => {
  const message = { jsonrpc: "2.0" as const, method: "notifications/message", params: { level: "error", data: "x" } };
  const vendor = { jsonrpc: "2.0" as const, method: "notifications/vendor", params: {} };

  test("is its own, and their level is asked of it alone", async () => {
    const { own, session, sessions, a, b } = await ready();
    const [ofA, ofAll] = [session(own("a")), session()];
    ofA.send("logging/setLevel", { level: "debug" });
    expect([a.logLevels, b.logLevels]).toEqual([["debug"], []]);
    ofAll.send("logging/setLevel", { level: "error" });
    expect([a.logLevels, b.logLevels]).toEqual([["debug"], ["error"]]);
    a.tell(message);
    b.tell(message);
    b.tell(vendor);
    expect([methods(ofA.told), methods(ofAll.told)]).toEqual([
      [message.method],
      [message.method, message.method, vendor.method],
    ]);
    sessions.end(ofA.opened.id, "gone");
    expect([a.logLevels, b.logLevels]).toEqual([["debug", "error"], ["error"]]);
  });
});

describe("when the connector of a scope", () => {
  test("is replaced, its clients go on with the new one", async () => {
    const { own, session, replace, upstreams, a } = await ready();
    const { send, opened } = session(own("a"));
    replace("a");
    await settle();
    expect(upstreams.of("a")).not.toBe(a);
    // What its predecessor listed stands in for it.
    expect(send("tools/list").only).toMatchObject({ result: { tools: [{ name: "x" }] } });
    upstreams.of("a").goUp(TELLS);
    await upstreams.of("a").answerList(["x"]);
    await settle();
    send("tools/call", { name: "x" });
    expect([upstreams.of("a").sent.length, opened.hasEnded]).toEqual([1, false]);
  });

  test("is removed, its sessions and streams end, when what is under way is answered; others' do not", async () => {
    const { askIn, own, session, sessions, subscriptions, name, a } = await ready();
    const [busy, idle, other] = [session(own("a")), session(own("a")), session()];
    let answered = (): void => {};
    busy.opened.inFlight.set(1, () => {});
    answered = () => busy.opened.answered(1);
    const { sink } = askIn(own("a"), "subscriptions/listen", { notifications: {} }, "modern", 5);
    name("b");
    await settle();
    expect([busy, idle, other].map(({ opened }) => opened.hasEnded)).toEqual([false, true, false]);
    expect(busy.opened.isListening).toBe(false);
    expect(sink.events.at(-1)).toMatchObject({
      kind: "respond",
      response: { id: 5, result: { resultType: "complete" } },
    });
    expect(subscriptions.size).toBe(0);
    answered();
    expect([busy.opened.hasEnded, sessions.size]).toEqual([true, 1]);
    expect(a.retirements).toHaveLength(1);
  });

  test("is removed and added again, it is another scope: nothing of the one before is known there", async () => {
    const { own, session, sessions, name } = await ready();
    const { opened } = session(own("a"));
    opened.inFlight.set(1, () => {});
    name("b");
    await settle();
    name("a", "b");
    await settle();
    expect(sessions.use(opened.id, own("a"))).toBeUndefined();
    expect(opened.hasEnded).toBe(false);
  });
});
