import { META } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { CLOSED, listeningUnderTest, REFUSED } from "./ears-under-test.js";

const TOOLS = "notifications/tools/list_changed";

describe("listening at an upstream (2026-07-28, Subscriptions)", () => {
  test("each change is told by its feature, everything else as it came but for the subscription's mark", () => {
    const { listening, ear, changed, told } = listeningUnderTest();
    listening.start();
    ear(0).grant({ toolsListChanged: true });
    ear(0).say(TOOLS);
    ear(0).say("notifications/prompts/list_changed", { _meta: { [META.subscriptionId]: 1 } });
    ear(0).say("notifications/resources/updated", { uri: "a:1", _meta: { [META.subscriptionId]: 1, mine: true } });
    ear(0).say("notifications/com.example/unknown", { _meta: { [META.subscriptionId]: 1 }, extra: [1] });
    ear(0).say("notifications/com.example/bare");
    ear(0).say("notifications/progress", { progressToken: 1, progress: 1 });
    expect(changed).toEqual(["tools", "prompts"]);
    expect(told).toEqual([
      { jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "a:1", _meta: { mine: true } } },
      { jsonrpc: "2.0", method: "notifications/com.example/unknown", params: { extra: [1] } },
      { jsonrpc: "2.0", method: "notifications/com.example/bare" },
    ]);
  });

  test("a feature is heard from the grant that names it until the ear ends; who tells all the same is heard", () => {
    const { listening, ear, logger } = listeningUnderTest({ features: ["tools", "prompts"] });
    listening.start();
    expect(listening.hears("tools")).toBe(false);
    ear(0).listener.onOpen();
    expect(listening.hears("tools")).toBe(false);
    ear(0).grant({ toolsListChanged: true, promptsListChanged: "yes", resourceSubscriptions: 5 });
    expect([listening.hears("tools"), listening.hears("prompts")]).toEqual([true, false]);
    expect(logger.lines).toMatchObject([{ level: "debug", fields: { features: ["prompts"] } }]);
    ear(0).say("notifications/prompts/list_changed");
    expect(listening.hears("prompts")).toBe(true);
    ear(0).listener.onEnd({ kind: "ended" });
    expect(listening.hears("tools")).toBe(false);
  });

  test("opens again with growing delays, which a good one resets, and says that something was missed", async () => {
    const { listening, time, ears, ear, missed } = listeningUnderTest();
    listening.start();
    for (const [round, delayMs] of [100, 200, 400].entries()) {
      ear(-1).grant({ toolsListChanged: true });
      expect(missed.count).toBe(round);
      ear(-1).listener.onEnd({ kind: "ended" });
      ear(-1).listener.onEnd({ kind: "ended" });
      expect(time.delays).toEqual([delayMs]);
      await time.advance(delayMs);
      expect(ears).toHaveLength(round + 2);
    }
    ear(-1).grant({ toolsListChanged: true });
    await time.advance(10_000);
    ear(-1).listener.onEnd({ kind: "ended" });
    expect(time.delays).toEqual([100]);
  });

  test("one that was never granted anything is not asked again, one that was is", async () => {
    const { listening, time, ears, ear, logger } = listeningUnderTest();
    listening.start();
    ear(0).listener.onEnd({ kind: "refused", error: REFUSED });
    expect(time.pending).toBe(0);
    expect(logger.lines).toMatchObject([{ level: "debug", fields: { reason: "no" } }]);
    const other = listeningUnderTest();
    other.listening.start();
    other.ear(0).grant({});
    other.ear(0).listener.onEnd({ kind: "refused", error: REFUSED });
    await other.time.advance(100);
    expect([ears.length, other.ears.length]).toEqual([1, 2]);
  });

  test("an upstream that is not there ends it", () => {
    const { listening, ear, time, gone } = listeningUnderTest();
    listening.start();
    ear(0).listener.onEnd({ kind: "gone", error: CLOSED });
    listening.start();
    expect([gone, time.pending]).toEqual([[CLOSED], 0]);
  });

  test("nothing is heard after it was stopped, and nothing opened", async () => {
    const { listening, ears, ear, time, changed } = listeningUnderTest();
    listening.start();
    ear(0).grant({ toolsListChanged: true });
    const waiting = expect(listening.subscribe("a:1")).rejects.toBe(CLOSED);
    listening.stop(CLOSED);
    listening.stop(REFUSED);
    await waiting;
    ear(0).say(TOOLS);
    ear(0).listener.onOpen();
    ear(0).listener.onEnd({ kind: "ended" });
    listening.start();
    await expect(listening.subscribe("b:1")).rejects.toBe(CLOSED);
    await time.advance(100_000);
    expect([ear(0).isClosed, ears.length, changed, time.pending]).toEqual([true, 1, [], 0]);
  });

  test("without acknowledgements an open ear hears all that is claimed", () => {
    const { listening, ear, missed } = listeningUnderTest({ acknowledges: false, features: ["tools", "resources"] });
    listening.start();
    ear(0).listener.onOpen();
    expect(["tools", "resources", "prompts"].map((feature) => listening.hears(feature as "tools"))).toEqual([
      true,
      true,
      false,
    ]);
    listening.restart();
    expect([ear(0).isClosed, listening.hears("tools"), missed.count]).toEqual([true, false, 0]);
    ear(1).listener.onOpen();
    expect([listening.hears("tools"), missed.count]).toEqual([true, 1]);
  });
});
