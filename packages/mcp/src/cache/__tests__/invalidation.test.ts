import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { expect, test } from "vitest";
import { answerWith, CacheSetUp, resultOf, sinkOf, type Connected } from "./cache-set-up.js";

// R22: an answer that is given once more is no older than what the upstream told (2026-07-28, Caching, Interaction with Notifications).

const updated = (uri?: unknown): JsonRpcNotification => ({
  jsonrpc: "2.0",
  method: "notifications/resources/updated",
  ...(typeof uri === "string" ? { params: { uri } } : {}),
});

const isKept = (connected: Connected, uri: string): boolean => connected.read({ uri }).upstream === undefined;

function keep(connected: Connected, ...uris: readonly string[]): void {
  for (const uri of uris) connected.readThrough(resultOf(), { uri });
}

test("a resource that changed is asked for again, and the others are not", () => {
  const connected = new CacheSetUp().connector();
  keep(connected, "x://1", "x://2");
  connected.back.tell(updated("x://1"));
  expect(isKept(connected, "x://2")).toBe(true);
  expect(isKept(connected, "x://1")).toBe(false);
});

test("so are those that it may be a part of, and those that may be a part of it", () => {
  const connected = new CacheSetUp().connector();
  keep(connected, "x://dir", "x://dir/file", "x://dir/file/line", "x://other");
  connected.back.tell(updated("x://dir/file"));
  expect(["x://dir", "x://dir/file", "x://dir/file/line", "x://other"].map((uri) => isKept(connected, uri))).toEqual([
    ...[false, false, false, true],
  ]);
});

test("a change of a session's own child counts as well, and one that names nothing is one of everything", () => {
  const connected = new CacheSetUp().connector();
  keep(connected, "x://1", "x://2");
  connected.back.tell(updated("x://1"), "some session");
  expect(isKept(connected, "x://1")).toBe(false);
  connected.back.tell(updated());
  expect(isKept(connected, "x://2")).toBe(false);
});

test("another list of resources makes all reads old, another list of tools none", () => {
  const connected = new CacheSetUp().connector();
  keep(connected, "x://1", "x://2");
  connected.back.announceChange("tools");
  connected.back.tell({ jsonrpc: "2.0", method: "notifications/message", params: { uri: "x://1" } });
  expect([isKept(connected, "x://1"), isKept(connected, "x://2")]).toEqual([true, true]);
  connected.back.announceChange("resources");
  expect([isKept(connected, "x://1"), isKept(connected, "x://2")]).toEqual([false, false]);
});

test("whoever hears of the change finds the old answer gone", () => {
  const setUp = new CacheSetUp();
  const seen: boolean[] = [];
  const told: string[] = [];
  told.push = () => seen.push(isKept(connected, "x://1"));
  const connected = setUp.connector({}, told);
  keep(connected, "x://1");
  connected.back.tell(updated("x://1"));
  keep(connected, "x://1");
  connected.back.announceChange("resources");
  expect(seen).toEqual([false, false]);
});

test("what was being answered when the change was told is passed on and not kept", () => {
  const connected = new CacheSetUp().connector();
  const [changed, other] = [connected.read(), connected.read({ uri: "x://2" })];
  sinkOf(changed).start(200, { "content-type": "application/json" });
  connected.back.tell(updated("x://1"));
  answerWith(changed, { jsonrpc: "2.0", id: 1, result: resultOf() });
  answerWith(other, { jsonrpc: "2.0", id: 1, result: resultOf() });
  expect(changed.answer()["result"]).toEqual(resultOf());
  expect([isKept(connected, "x://1"), isKept(connected, "x://2")]).toEqual([false, true]);
});

test("an upstream that connected anew may have changed unseen, or be another one", () => {
  const connected = new CacheSetUp().connector();
  keep(connected, "x://1");
  const late = connected.read({ uri: "x://2" });
  connected.back.goUp({ resources: {} });
  expect(isKept(connected, "x://1")).toBe(false);
  answerWith(late, { jsonrpc: "2.0", id: 1, result: resultOf() });
  expect(isKept(connected, "x://2")).toBe(false);
});

test("while an upstream is away, what is still good is given (C8)", () => {
  const connected = new CacheSetUp().connector();
  keep(connected, "x://1");
  const { facts } = connected.back;
  connected.back.goDown("gone");
  // As the bridge has it: what it was.
  connected.back.facts = facts;
  expect(isKept(connected, "x://1")).toBe(true);
});

test.each(["dispose", "retire"] as const)(
  "nothing of a connector is left after %s, and nothing is added",
  async (way) => {
    const setUp = new CacheSetUp();
    const connected = setUp.connector();
    keep(connected, "x://1");
    const late = connected.read({ uri: "x://2" });
    expect(setUp.store.bytes).toBeGreaterThan(0);
    await (way === "dispose" ? connected.front.dispose() : connected.front.retire(1_000, "was changed"));
    answerWith(late, { jsonrpc: "2.0", id: 1, result: resultOf() });
    expect(setUp.store.bytes).toBe(0);
  },
);

test("one connector's answers are not another's, whatever they are called", () => {
  const setUp = new CacheSetUp();
  const [one, other] = [setUp.connector(), setUp.connector()];
  keep(one, "x://1");
  expect(isKept(other, "x://1")).toBe(false);
  keep(other, "x://1");
  other.back.tell(updated("x://1"));
  expect([isKept(one, "x://1"), isKept(other, "x://1")]).toEqual([true, false]);
});
