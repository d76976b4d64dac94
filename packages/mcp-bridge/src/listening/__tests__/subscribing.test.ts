import { describe, expect, test } from "vitest";
import { listeningUnderTest, REFUSED, tick } from "./ears-under-test.js";

const both = (...resourceSubscriptions: string[]) => ({ toolsListChanged: true, resourceSubscriptions });

/** One that listens for tools already. */
function started() {
  const under = listeningUnderTest();
  under.listening.start();
  under.ear(0).grant({ toolsListChanged: true });
  return under;
}

describe("subscribing to resources by listening (2026-07-28, Subscriptions)", () => {
  test("changes within one tick make one new ear, which is acknowledged before the old one is closed", async () => {
    const { listening, ears, ear, changed, time } = started();
    const subscribed = Promise.all([
      listening.subscribe("a:1"),
      listening.subscribe("b:1"),
      listening.subscribe("a:1"),
    ]);
    await listening.unsubscribe("c:1");
    expect(ears).toHaveLength(1);
    await tick();
    expect(ears.map(({ uris }) => uris)).toEqual([[], ["a:1", "b:1"]]);
    expect([ear(0).isClosed, listening.hears("tools")]).toEqual([false, true]);
    ear(0).say("notifications/tools/list_changed");
    ear(1).grant(both("a:1", "b:1"));
    await subscribed;
    expect([ear(0).isClosed, ear(1).isClosed]).toEqual([false, false]);
    await time.advance(1_000);
    expect([ear(0).isClosed, ear(1).isClosed]).toEqual([true, false]);
    ear(0).say("notifications/tools/list_changed");
    expect(changed).toEqual(["tools"]);
    await listening.subscribe("a:1");
    await tick();
    expect(ears).toHaveLength(2);
  });

  test("what the old one was told before, and arrives after the new one was acknowledged, is heard; what both tell is heard once (R22)", async () => {
    const { listening, ear, told, changed } = started();
    void listening.subscribe("a:1");
    await tick();
    ear(1).grant(both("a:1"));
    void listening.subscribe("b:1");
    await tick();
    ear(2).grant(both("a:1", "b:1"));
    const updated = (uri: string) => ["notifications/resources/updated", { uri }] as const;
    ear(1).say(...updated("a:1"));
    expect(told).toHaveLength(1);
    ear(2).say(...updated("a:1"));
    expect(told).toHaveLength(1);
    ear(2).say(...updated("b:1"));
    ear(2).say("notifications/tools/list_changed");
    ear(1).say("notifications/tools/list_changed");
    expect([told.length, changed.length]).toEqual([2, 1]);
    // Those before the last one are left, and so are all when nobody listens any more.
    expect(ear(0).isClosed).toBe(true);
    listening.restart();
    expect(ear(1).isClosed).toBe(true);
    ear(1).say(...updated("a:1"));
    expect(told).toHaveLength(2);
  });

  test("what changes while one is not acknowledged yet is asked for with the next one", async () => {
    const { listening, ears, ear } = started();
    const first = listening.subscribe("a:1");
    await tick();
    const second = listening.subscribe("b:1");
    const dropped = listening.subscribe("c:1");
    await listening.unsubscribe("c:1");
    await dropped;
    await tick();
    expect(ears).toHaveLength(2);
    ear(1).grant(both("a:1"));
    await first;
    await tick();
    expect(ear(2).uris).toEqual(["a:1", "b:1"]);
    ear(2).grant(both("a:1", "b:1"));
    await second;
    await listening.unsubscribe("a:1");
    await tick();
    expect(ear(3).uris).toEqual(["b:1"]);
  });

  test("a resource that is not granted is refused, and not asked for again", async () => {
    const { listening, ears, ear } = started();
    const granted = listening.subscribe("a:1");
    const refused = expect(listening.subscribe("b:1")).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
    await tick();
    ear(1).grant(both("a:1"));
    await Promise.all([granted, refused]);
    await tick();
    expect([listening.uris, ears.length]).toEqual([["a:1"], 2]);
  });

  test("when the new ear is refused, those who wait for it are, and the old one goes on", async () => {
    const { listening, ears, ear, time } = started();
    const refused = expect(listening.subscribe("a:1")).rejects.toBe(REFUSED);
    await tick();
    ear(1).listener.onEnd({ kind: "refused", error: REFUSED });
    await refused;
    await tick();
    expect([ears.length, ear(0).isClosed, listening.hears("tools"), time.pending]).toEqual([2, false, true, 0]);
  });

  test("when the new ear ends too early it is tried again, the old one going on", async () => {
    const { listening, ear, time, missed } = started();
    const subscribed = listening.subscribe("a:1");
    await tick();
    ear(1).listener.onEnd({ kind: "ended" });
    expect([listening.hears("tools"), time.delays]).toEqual([true, [100, 5_000]]);
    await time.advance(100);
    expect(ear(2).uris).toEqual(["a:1"]);
    ear(2).grant(both("a:1"));
    await subscribed;
    await time.advance(1_000);
    expect([ear(0).isClosed, missed.count]).toEqual([true, 0]);
  });

  test("when the old ear ends meanwhile, the new one takes over, and something may have been missed", async () => {
    const { listening, ears, ear, time, missed } = started();
    const subscribed = listening.subscribe("a:1");
    await tick();
    ear(0).listener.onEnd({ kind: "ended" });
    expect([listening.hears("tools"), time.delays]).toEqual([false, [5_000, 5_000]]);
    ear(1).grant(both("a:1"));
    await subscribed;
    expect([missed.count, ears.length, listening.hears("tools")]).toEqual([1, 2, true]);
  });

  test("when both end, one takes their place", async () => {
    const { listening, ears, ear, time } = started();
    const subscribed = listening.subscribe("a:1");
    await tick();
    ear(1).listener.onEnd({ kind: "ended" });
    ear(0).listener.onEnd({ kind: "ended" });
    expect(time.delays).toEqual([100, 5_000]);
    await listening.unsubscribe("nothing");
    await time.advance(100);
    expect(ears).toHaveLength(3);
    ear(2).grant(both("a:1"));
    await subscribed;
  });

  test("who waits too long is told so", async () => {
    const { listening, time } = started();
    const late = expect(listening.subscribe("a:1")).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      message: 'Connector "demo" did not agree to a subscription within 5000 ms',
    });
    await time.advance(5_000);
    await late;
    expect(listening.uris).toEqual([]);
  });

  test("an ear that is not acknowledged in time is given up: the old one goes on, and the next subscription has a new one (R22)", async () => {
    const { listening, ears, ear, time, changed, missed, logger } = started();
    const late = expect(listening.subscribe("a:1")).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    await time.advance(5_000);
    await late;
    await tick();
    expect([ear(0).isClosed, ear(1).isClosed, ears.length, time.pending]).toEqual([false, true, 2, 0]);
    expect(logger.messages("debug")).toContain("The upstream did not acknowledge a subscription in time");
    ear(1).grant(both("a:1"));
    ear(0).say("notifications/tools/list_changed");
    expect([changed, listening.hears("tools")]).toEqual([["tools"], true]);
    const again = listening.subscribe("a:1");
    await tick();
    expect(ear(2).uris).toEqual(["a:1"]);
    ear(2).grant(both("a:1"));
    await again;
    await time.advance(1_000);
    expect([ear(0).isClosed, missed.count, time.pending]).toEqual([true, 0, 0]);
  });

  test("who subscribed while an ear was not acknowledged is asked for when it is given up (R22)", async () => {
    const { listening, ears, ear, time } = started();
    const late = expect(listening.subscribe("a:1")).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    await time.advance(4_000);
    const second = listening.subscribe("b:1");
    await time.advance(1_000);
    await late;
    await tick();
    expect([ears.length, ear(2).uris]).toEqual([3, ["b:1"]]);
    ear(2).grant(both("b:1"));
    await second;
  });

  test("the only ear is kept when it is not acknowledged in time, for it may tell; another is tried beside it (R22)", async () => {
    const { listening, ears, ear, time, changed } = listeningUnderTest();
    listening.start();
    await time.advance(60_000);
    expect([ears.length, ear(0).isClosed, time.pending]).toEqual([1, false, 0]);
    ear(0).say("notifications/tools/list_changed");
    const subscribed = listening.subscribe("a:1");
    await tick();
    expect([ear(0).isClosed, ear(1).uris]).toEqual([false, ["a:1"]]);
    // An acknowledgement that comes too late takes nothing from the newer one.
    ear(0).grant({ toolsListChanged: true });
    await tick();
    expect([ears.length, ear(1).isClosed]).toEqual([2, false]);
    ear(1).grant(both("a:1"));
    await subscribed;
    await time.advance(1_000);
    expect([changed, ear(0).isClosed]).toEqual([["tools"], true]);
  });

  test("when the one beside an ear that was never acknowledged ends too early it is tried again (R22)", async () => {
    const { listening, ears, ear, time } = listeningUnderTest();
    listening.start();
    await time.advance(5_000);
    const subscribed = listening.subscribe("a:1");
    await tick();
    ear(1).listener.onEnd({ kind: "ended" });
    await time.advance(100);
    expect([ears.length, ear(0).isClosed, ear(2).uris]).toEqual([3, false, ["a:1"]]);
    ear(2).grant(both("a:1"));
    await subscribed;
  });

  test("after a gap a resource that is not granted any more is forgotten with a warning", async () => {
    const { listening, ears, ear, time, logger } = started();
    const subscribed = Promise.all([listening.subscribe("a:1"), listening.subscribe("b:1")]);
    await tick();
    ear(1).grant(both("a:1", "b:1"));
    await subscribed;
    ear(1).listener.onEnd({ kind: "ended" });
    await time.advance(100);
    ear(2).grant(both("b:1"));
    await tick();
    expect([listening.uris, ears.length]).toEqual([["b:1"], 3]);
    expect(logger.messages("warn")).toEqual(["The upstream does not tell of changes of a resource any more"]);
    // One that refuses everything because of a resource still tells of its lists.
    ear(2).listener.onEnd({ kind: "refused", error: REFUSED });
    await time.advance(200);
    expect(ear(3).uris).toEqual([]);
  });

  test("without lists to hear of, an ear is open only while there is a subscription", async () => {
    const { listening, ears, ear, time } = listeningUnderTest({ features: [] });
    listening.start();
    expect(ears).toHaveLength(0);
    const subscribed = listening.subscribe("a:1");
    await tick();
    ear(0).grant(both("a:1"));
    await subscribed;
    await listening.unsubscribe("a:1");
    await tick();
    expect([ear(0).isClosed, ears.length, time.pending]).toEqual([true, 1, 0]);
    const refused = expect(listening.subscribe("b:1")).rejects.toBe(REFUSED);
    await tick();
    ear(1).listener.onEnd({ kind: "refused", error: REFUSED });
    await refused;
    await time.advance(100_000);
    expect([ears.length, time.pending]).toEqual([2, 0]);
  });
});
