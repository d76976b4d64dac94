import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { clockFrom, MapLifetime } from "../map-lifetime.js";

const TTL = 300_000;
const MAX_STALE = 7 * 24 * 3_600_000;
const HOUR = 3_600_000;

function received(maxStaleMs = MAX_STALE, startMs?: number): { time: ManualTime; map: MapLifetime; atMs: number } {
  const time = new ManualTime();
  const atMs = time.now();
  const moments = { expiresAtMs: atMs + TTL, staleUntilMs: atMs + TTL + maxStaleMs, ttlMs: TTL };
  return { time, atMs, map: new MapLifetime(moments, startMs ?? atMs, { clock: time, monotonic: time }) };
}

describe("the lifetime of a service map (R4, R6)", () => {
  test("fresh for its time to live, stale for maxStale, then expired, to the millisecond", async () => {
    const { time, map } = received();
    await time.advance(TTL - 1);
    expect(map.lifetime).toBe("fresh");
    await time.advance(1);
    expect(map.lifetime).toBe("stale");
    await time.advance(MAX_STALE - 1);
    expect(map.lifetime).toBe("stale");
    await time.advance(1);
    expect(map.lifetime).toBe("expired");
  });

  test("becomes urgent one time to live after it went stale, at half and at nine tenths of maxStale", async () => {
    const { time, map } = received();
    const seen: [number, string][] = [];
    while (map.changesInMs !== undefined) {
      await time.advance(map.changesInMs);
      seen.push([time.elapsedMs() - TTL, `${map.lifetime} ${map.urgency}`]);
    }
    expect(seen).toEqual([
      [0, "stale none"],
      [TTL, "stale overdue"],
      [MAX_STALE * 0.5, "stale half"],
      [MAX_STALE * 0.9, "stale nine-tenths"],
      [MAX_STALE, "expired expired"],
    ]);
  });

  test("a confirmation makes it fresh again, and never moves the bound: a frozen publisher is noticed", async () => {
    const { time, map, atMs } = received();
    for (let hour = 0; hour < 24 * 7; hour++) {
      await time.advance(HOUR);
      map.confirm(time.now() + TTL);
      expect(map.lifetime).toBe("fresh");
    }
    expect(map.urgency).toBe("nine-tenths");
    expect(map.staleUntilMs).toBe(atMs + TTL + MAX_STALE);
    await time.advance(TTL);
    map.confirm(time.now() + TTL);
    expect(map.lifetime).toBe("expired");
  });

  test("a wall clock set back never extends it", async () => {
    const { time, map } = received();
    await time.advance(TTL - 1);
    time.jump(-2 * HOUR);
    expect(map.lifetime).toBe("fresh");
    await time.advance(1);
    expect(map.lifetime).toBe("stale");
    time.jump(-300 * HOUR);
    await time.advance(MAX_STALE);
    expect(map.lifetime).toBe("expired");
  });

  test("a wall clock set back between confirmations never extends the bound", async () => {
    const { time, map } = received();
    for (let day = 0; day < 7; day++) {
      await time.advance(24 * HOUR);
      time.jump(-24 * HOUR);
      map.confirm(time.now() + TTL);
    }
    await time.advance(TTL);
    expect(map.lifetime).toBe("expired");
  });

  test("a step forward counts, and counts no more once it was taken back", () => {
    const { time, map } = received();
    time.jump(2 * HOUR);
    expect(map.lifetime).toBe("stale");
    time.jump(90 * 24 * HOUR);
    expect(map.lifetime).toBe("expired");
    time.jump(-90 * 24 * HOUR - 2 * HOUR);
    expect(map.lifetime).toBe("fresh");
  });

  test("starts from a later moment than the wall clock shows, when that was set back before", () => {
    const now = new ManualTime().now();
    expect(received(MAX_STALE, now + TTL).map.lifetime).toBe("stale");
    expect(received(MAX_STALE, now + TTL + MAX_STALE).map).toMatchObject({
      lifetime: "expired",
      changesInMs: undefined,
    });
  });

  test("with maxStale 0 it expires when it goes stale, and a confirmation does not help", async () => {
    const { time, map } = received(0);
    expect(map).toMatchObject({ lifetime: "fresh", urgency: "none", changesInMs: TTL });
    await time.advance(TTL - 1);
    map.confirm(time.now() + TTL);
    expect(map.changesInMs).toBe(1);
    await time.advance(1);
    expect(map).toMatchObject({ lifetime: "expired", urgency: "expired" });
  });

  test("knows a maxStale longer than a timer can wait", async () => {
    const { map } = received(60 * 24 * HOUR);
    expect(map.changesInMs).toBe(TTL);
    expect(map.staleUntilMs - map.freshUntilMs).toBeGreaterThan(2 ** 31);
  });
});

describe("clockFrom", () => {
  test("goes by whichever clock went further, and never back below what went by", async () => {
    const time = new ManualTime(1_000_000);
    const clock = clockFrom(1_000_000, { clock: time, monotonic: time });
    await time.advance(500);
    expect(clock.now()).toBe(1_000_500);
    time.jump(-400);
    expect(clock.now()).toBe(1_000_500);
    time.jump(1_400);
    expect(clock.now()).toBe(1_001_500);
  });
});
