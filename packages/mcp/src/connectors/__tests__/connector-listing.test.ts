import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { setUp, toolsOf } from "./connector-set-up.js";

describe("a connector whose list fails", () => {
  test("is down with the reason when it has no tools yet, and tries again with growing, jittered delays", async () => {
    const { connector, upstream, time, logger, syncs } = setUp({ random: 0.5 });
    upstream().goUp();
    const failure = new GatewayError("UPSTREAM_TIMEOUT", "no answer within 30000 ms");
    await upstream().failList(failure);
    expect(connector.status()).toMatchObject({ state: "down", reason: "tools/list failed: no answer within 30000 ms" });
    expect(logger.lines).toContainEqual({
      level: "warn",
      fields: { connectorId: "k", err: failure },
      message: "Connector sync failed",
    });
    expect(syncs).toEqual([{ seconds: 0, ok: false }]);
    const delays: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      const [delay = 0] = time.delays;
      delays.push(delay);
      await time.advance(delay);
      await upstream().failList(failure);
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    await time.advance(30_000);
    await upstream().answerList(["a"]);
    expect(connector.isUp).toBe(true);
  });

  test("goes on with the good list it has", async () => {
    const { connector, upstream, time } = setUp();
    await upstream().serve("a");
    upstream().announceChange();
    await upstream().failList(new Error("nonsense"));
    expect(connector.isUp).toBe(true);
    expect(toolsOf(connector)).toEqual(["a"]);
    expect(time.delays).toEqual([250]);
  });

  test("starts its delays over once a list succeeded", async () => {
    const { upstream, time } = setUp();
    upstream().goUp();
    for (const delay of [250, 500]) {
      await upstream().failList(new Error("no"));
      expect(time.delays).toEqual([delay]);
      await time.advance(delay);
    }
    await upstream().answerList(["a"]);
    upstream().announceChange();
    await upstream().failList(new Error("no"));
    expect(time.delays).toEqual([250]);
  });

  test("says nothing of a list that failed because the upstream went", async () => {
    const { connector, upstream, logger, time } = setUp();
    upstream().goUp();
    upstream().goDown("gone");
    await upstream().failList(new Error("lost"));
    expect(connector.status()).toMatchObject({ reason: "gone" });
    expect(logger.messages("warn")).toEqual(["Connector is down"]);
    expect(time.pending).toBe(0);
  });

  test("is listed again at once when the upstream came back during the failing list", async () => {
    const { connector, upstream } = setUp();
    upstream().goUp();
    upstream().goDown("gone");
    upstream().goUp();
    await upstream().failList(new Error("lost"));
    expect(upstream().pendingLists).toBe(1);
    await upstream().answerList(["a"]);
    expect(connector.isUp).toBe(true);
  });
});

describe("a connector's refreshes", () => {
  test("changes announced during a list make one more list, however many they were", async () => {
    const { connector, upstream } = setUp();
    upstream().goUp();
    for (let change = 0; change < 10; change += 1) upstream().announceChange();
    expect(upstream().lists).toBe(1);
    await upstream().answerList(["old"]);
    expect(upstream().lists).toBe(2);
    await upstream().answerList(["new"]);
    expect(upstream().lists).toBe(2);
    expect(toolsOf(connector)).toEqual(["new"]);
  });

  test.each([
    [0, 240_000],
    [0.5, 300_000],
    [0.999_999, 359_999],
  ])(
    "come every 5 minutes ± 20 %% when the upstream announces no changes (chance %f: %i ms)",
    async (random, delay) => {
      const { upstream, time } = setUp({ random });
      await upstream().serve("a");
      expect(time.delays).toEqual([delay]);
      await time.advance(delay);
      expect(upstream().lists).toBe(2);
      await upstream().answerList(["a"]);
      expect(time.delays).toEqual([delay]);
    },
  );

  test("are left to the upstream while its announcements arrive, and looked at again every time", async () => {
    const { upstream, time } = setUp();
    upstream().hearsChanges = true;
    await upstream().serve("a");
    for (let round = 0; round < 3; round += 1) {
      expect(time.delays).toEqual([300_000]);
      await time.advance(300_000);
    }
    expect(upstream().lists).toBe(1);
    upstream().announceChange();
    expect(upstream().lists).toBe(2);
  });

  test("begin as soon as announcements do not arrive any more, whatever the upstream claimed", async () => {
    const { connector, upstream, time } = setUp();
    upstream().hearsChanges = true;
    upstream().goUp({ tools: { listChanged: true } });
    await upstream().answerList(["a"]);
    await time.advance(300_000);
    upstream().hearsChanges = false;
    await time.advance(300_000);
    expect(upstream().lists).toBe(2);
    await upstream().answerList(["b"]);
    expect(toolsOf(connector)).toEqual(["b"]);
    upstream().hearsChanges = true;
    await time.advance(600_000);
    expect(upstream().lists).toBe(2);
  });

  test("retry a failed list also while announcements arrive", async () => {
    const { upstream, time } = setUp();
    upstream().hearsChanges = true;
    upstream().goUp();
    await upstream().failList(new Error("no"));
    await time.advance(250);
    expect(upstream().lists).toBe(2);
  });

  test("do not happen while it is down: a change announced then is seen when it comes back", async () => {
    const { upstream } = setUp();
    upstream().announceChange();
    expect(upstream().lists).toBe(0);
    await upstream().serve("a");
    upstream().goDown("gone");
    upstream().announceChange();
    expect(upstream().lists).toBe(1);
  });
});

describe("a connector whose upstream announces one change after the other", () => {
  /** Answers every list at once with a change right behind it, as long as the given time lasts. */
  async function storm({ upstream, time }: ReturnType<typeof setUp>, forMs: number): Promise<number[]> {
    const listedAt: number[] = [];
    const until = time.elapsedMs() + forMs;
    upstream().announceChange();
    while (time.elapsedMs() < until) {
      if (upstream().pendingLists > 0) {
        listedAt.push(time.elapsedMs());
        await upstream().answerList([`tool-${listedAt.length}`]);
        upstream().announceChange();
      }
      await time.advance(100);
    }
    return listedAt;
  }

  test("is listed at once, then after gaps that grow to a minute", async () => {
    const parts = setUp();
    parts.upstream().hearsChanges = true;
    await parts.upstream().serve("a");
    const listedAt = await storm(parts, 200_000);
    expect(listedAt).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000]);
  });

  test("is listed at once again after it was quiet", async () => {
    const parts = setUp();
    parts.upstream().hearsChanges = true;
    await parts.upstream().serve("a");
    await storm(parts, 10_000);
    await parts.time.advance(60_000);
    await parts.upstream().answerList(["b"]);
    await parts.time.advance(60_000);
    const before = parts.upstream().lists;
    parts.upstream().announceChange();
    expect(parts.upstream().lists).toBe(before + 1);
  });

  test("the gap counts from the end of a slow list, and what was announced meanwhile is not lost", async () => {
    const { connector, upstream, time } = setUp();
    upstream().hearsChanges = true;
    await upstream().serve("a");
    upstream().announceChange();
    await time.advance(5_000);
    upstream().announceChange();
    await upstream().answerList(["b"]);
    expect(upstream().lists).toBe(2);
    await time.advance(999);
    expect(upstream().lists).toBe(2);
    await time.advance(1);
    await upstream().answerList(["c"]);
    expect(toolsOf(connector)).toEqual(["c"]);
  });

  test("nothing waits any more once it went down or was closed", async () => {
    for (const end of ["down", "close"] as const) {
      const { connector, upstream, time } = setUp();
      await upstream().serve("a");
      upstream().announceChange();
      await upstream().answerList(["b"]);
      upstream().announceChange();
      expect(time.pending).toBe(2);
      if (end === "down") upstream().goDown("gone");
      else await connector.close();
      expect(time.pending).toBe(0);
    }
  });
});
