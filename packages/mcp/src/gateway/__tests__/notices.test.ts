import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { partOfResources } from "../../__tests__/support/parts.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUp } from "./router-set-up.js";

const RESOURCES = partOfResources("a", { uris: ["x:1"], templates: ["x:t/{id}"], prompts: ["p"] }).lists;

/** A connector `a` with a resource, a template and a prompt, and one `b` that is down. */
async function ready() {
  const parts = await setUp(["a", "b"]);
  const upstream = parts.upstreams.of("a");
  upstream.goUp({ resources: {}, prompts: {} });
  await upstream.answer("resources", RESOURCES.resources?.entries ?? []);
  await upstream.answer("resourceTemplates", RESOURCES.resourceTemplates?.entries ?? []);
  await upstream.answer("prompts", RESOURCES.prompts?.entries ?? []);
  parts.upstreams.of("b").goDown("gone");
  await settle();
  return { ...parts, upstream };
}

describe("the router's other requests (R22)", () => {
  test.each([
    ["resources/list", "resources", [{ uri: "x:1", name: "x:1" }]],
    ["resources/templates/list", "resourceTemplates", [{ uriTemplate: "x:t/{id}", name: "x:t/{id}" }]],
    ["prompts/list", "prompts", [{ name: "a__p" }]],
    ["tools/list", "tools", []],
  ])("%s comes from the catalog in the era of the client", async (method, member, entries) => {
    const { ask } = await ready();
    expect(ask(method, {}, "legacy").sink.only).toEqual({ kind: "result", id: 1, result: { [member]: entries } });
    expect(ask(method).sink.only).toMatchObject({ result: { resultType: "complete", [member]: entries } });
  });

  test.each([
    ["resources/read", { uri: "cortex://a/x%3A1" }, { uri: "x:1" }],
    ["prompts/get", { name: "a__p", arguments: { q: "1" } }, { name: "p", arguments: { q: "1" } }],
  ])("%s is forwarded in the upstream's words", async (method, params, own) => {
    const { ask, upstream } = await ready();
    ask(method, params, "modern", "id");
    expect(upstream.sent.map(({ call }) => call)).toMatchObject([{ id: "id", method, params: own }]);
  });

  test("a prompt of a connector that has not come up is not available, which is another thing than unknown", async () => {
    const { ask } = await ready();
    const { failure } = ask("prompts/get", { name: "b__p" }).sink;
    expect(failure).toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    expect(failure.message).toBe('Prompt "b__p" is not available: connector "b" is down: gone');
  });

  test("what needs a session is refused without one", async () => {
    const { ask } = await ready();
    expect(ask("resources/subscribe", { uri: "x:1" }, "legacy").sink.failure.code).toBe("INVALID_REQUEST");
  });
});

describe("what a session asks to hear (2025-11-25, Resources and Logging)", () => {
  test("a subscription is asked of the upstream, tells of changes, and ends", async () => {
    const { session, upstream } = await ready();
    const { told, send } = session();
    const sink = send("resources/subscribe", { uri: "x:1" });
    await settle();
    expect(sink.only).toEqual({ kind: "result", id: 1, result: {} });
    send("resources/subscribe", { uri: "x:1" });
    await settle();
    expect(upstream.subscriptions).toEqual(["x:1"]);
    upstream.tell({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "x:1" } });
    expect(told).toEqual([{ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "x:1" } }]);
    expect(send("resources/unsubscribe", { uri: "x:1" }).only).toMatchObject({ kind: "result" });
    expect(send("resources/unsubscribe", { uri: "x:none" }).only).toMatchObject({ kind: "result" });
    await settle();
    expect(upstream.subscriptions).toEqual(["x:1", "-x:1"]);
  });

  test("a subscription that is refused fails with the reason, and can be asked for again", async () => {
    const { session, upstream } = await ready();
    const { send } = session();
    upstream.subscribeFailure = new GatewayError("UPSTREAM_PROTOCOL", "no such resource");
    const sink = send("resources/subscribe", { uri: "x:1" });
    await settle();
    expect(sink.failure.message).toBe("no such resource");
    upstream.subscribeFailure = undefined;
    const again = send("resources/subscribe", { uri: "x:1" });
    await settle();
    expect(again.only).toMatchObject({ kind: "result" });
  });

  test.each([
    ["resources/subscribe", {}, "params.uri must be"],
    ["resources/unsubscribe", { uri: 1 }, "params.uri must be"],
    ["logging/setLevel", { level: "loud" }, "params.level must be one of debug, info"],
  ])("%s with %j is refused", async (method, params, message) => {
    const { session } = await ready();
    const sink = session().send(method, params);
    await settle();
    expect(sink.failure.code).toBe("INVALID_PARAMS");
    expect(sink.failure.message).toContain(message);
  });

  test("a session listens to 1,000 resources at most", async () => {
    const { session } = await ready();
    const { opened, send } = session();
    for (let at = 0; at < 1_000; at += 1) opened.watches.set(`x:${at}`, () => {});
    const sink = send("resources/subscribe", { uri: "x:more" });
    await settle();
    expect(sink.failure.code).toBe("LIMITED");
  });

  test("what a session listened to ends with it, also when the upstream agrees only then", async () => {
    const { session, sessions, upstream } = await ready();
    const { opened, send } = session();
    send("resources/subscribe", { uri: "x:1" });
    await settle();
    send("resources/subscribe", { uri: "x:2" });
    sessions.end(opened.id, "gone");
    await settle();
    expect(upstream.subscriptions.filter((uri) => uri.startsWith("-")).toSorted()).toEqual(["-x:1", "-x:2"]);
  });

  test("log messages go to the sessions that want their level; upstreams hear the most verbose wish", async () => {
    const { session, sessions, upstream } = await ready();
    const [quiet, loud, silent] = [session(), session(), session()];
    quiet.send("logging/setLevel", { level: "error" });
    loud.send("logging/setLevel", { level: "debug" });
    const message = (level: string) => ({
      jsonrpc: "2.0" as const,
      method: "notifications/message",
      params: { level, data: "x" },
    });
    upstream.tell(message("info"));
    upstream.tell(message("critical"));
    expect([quiet, loud, silent].map(({ told }) => told.length)).toEqual([1, 2, 0]);
    expect(loud.opened.caller.logLevel).toBe("debug");
    sessions.end(loud.opened.id, "gone");
    sessions.end(silent.opened.id, "gone");
    expect(upstream.logLevels).toEqual(["error", "debug", "error"]);
    sessions.end(quiet.opened.id, "gone");
    expect(upstream.logLevels).toHaveLength(3);
  });

  test("a connector that comes later is told the level as well", async () => {
    const { session, upstreams, name } = await ready();
    session().send("logging/setLevel", { level: "notice" });
    name("a", "b", "c");
    await settle();
    expect(upstreams.of("c").logLevels).toEqual(["notice"]);
  });

  test("what comes from a client's own process is for that client; what nobody knows is for every session", async () => {
    const { session, upstream } = await ready();
    const [own, other] = [session(), session()];
    const vendor = { jsonrpc: "2.0" as const, method: "notifications/vendor", params: { "x-own": 1 } };
    upstream.tell(vendor, own.opened.id);
    upstream.tell(vendor, "a session that ended");
    expect([own.told, other.told]).toEqual([[vendor], []]);
    upstream.tell(vendor);
    expect([own.told.length, other.told.length]).toEqual([2, 1]);
  });

  test("what a client's own process says of a resource is told to that client, although others listen to the same one", async () => {
    const { session, upstream } = await ready();
    const [own, other] = [session(), session()];
    for (const { send } of [own, other]) send("resources/subscribe", { uri: "x:1" });
    await settle();
    const updated = { jsonrpc: "2.0" as const, method: "notifications/resources/updated", params: { uri: "x:1" } };
    upstream.tell(updated, own.opened.id);
    expect([own.told, other.told]).toEqual([[updated], []]);
    upstream.tell(updated);
    expect([own.told.length, other.told.length]).toEqual([2, 1]);
  });

  test("changes of each feature's lists are told by its own notification", async () => {
    const { session, upstream, time } = await ready();
    const { told } = session();
    upstream.announceChange("prompts");
    await upstream.answer("prompts", []);
    await time.advance(1_000);
    expect(told.map(({ method }) => method)).toContain("notifications/prompts/list_changed");
    expect(told.map(({ method }) => method)).not.toContain("notifications/tools/list_changed");
  });
});
