import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { ManifestCache, type CachedValue } from "../cache.js";
import { loadConnectorServiceMap } from "../service-map.js";

function cacheAt(startMs?: number) {
  const time = new ManualTime(startMs);
  return { time, cache: new ManifestCache<string>(time) };
}

describe("R4: the manifest cache", () => {
  test("R4, R19 happy: a fresh hit until the last millisecond of its time", async () => {
    const { time, cache } = cacheAt();
    expect([cache.get(), cache.getStale(), cache.expiresAtMs]).toEqual([undefined, undefined, undefined]);
    cache.set("v1", 1_000);
    expect(cache.get()).toBe("v1");
    await time.advance(999);
    expect(cache.get()).toBe("v1");
  });

  test("R4, R19 expired → stale: get() is undefined so that whoever asks fetches, the last good value stays", async () => {
    const { time, cache } = cacheAt();
    cache.set("v1", 1_000);
    await time.advance(1_000);
    expect(cache.get()).toBeUndefined();
    expect(cache.getStale()).toBe("v1");
    await time.advance(365 * 86_400_000);
    expect(cache.getStale()).toBe("v1");
  });

  test("R4: until a moment: fresh up to it and not at it; one that is over is expired at once", async () => {
    const { time, cache } = cacheAt();
    cache.setUntil("v1", time.now() + 10);
    await time.advance(9);
    expect(cache.get()).toBe("v1");
    await time.advance(1);
    expect([cache.get(), cache.getStale()]).toEqual([undefined, "v1"]);
    for (const moment of [0, Number.NaN]) {
      cache.setUntil("v2", moment);
      expect([cache.get(), cache.getStale(1), cache.expiresAtMs]).toEqual([undefined, "v2", time.now()]);
    }
  });

  test("R4: the plan's slip: after the second value expired, the first one never comes back", async () => {
    const { time, cache } = cacheAt();
    cache.set("v1", 1_000);
    await time.advance(1_000);
    cache.set("v2", 1_000);
    expect(cache.get()).toBe("v2");
    await time.advance(1_000);
    // The plan's sketch answers "v1" here: an older map, and no reason ever to fetch a new one.
    expect(cache.get()).toBeUndefined();
    expect(cache.getStale()).toBe("v2");
  });

  test("R4: a stale value is served up to the bound and not a millisecond longer", async () => {
    const { time, cache } = cacheAt();
    cache.set("v1", 1_000);
    expect(cache.getStale(0)).toBe("v1");
    await time.advance(1_499);
    expect(cache.getStale(500)).toBe("v1");
    await time.advance(1);
    expect(cache.getStale(500)).toBeUndefined();
    expect(cache.getStale(501)).toBe("v1");
  });

  test.each([0, -1, Number.NEGATIVE_INFINITY, Number.NaN])(
    "R4, R19 boundary: a TTL of %d is expired at once, and the value is the last good one",
    (ttlMs) => {
      const { time, cache } = cacheAt();
      cache.set("v1", ttlMs);
      expect(cache.get()).toBeUndefined();
      expect(cache.getStale()).toBe("v1");
      expect(cache.getStale(1)).toBe("v1");
      expect(cache.expiresAtMs).toBe(time.now());
    },
  );

  test("R4: a TTL without end never expires", async () => {
    const { time, cache } = cacheAt();
    cache.set("v1", Number.POSITIVE_INFINITY);
    await time.advance(10 * 365 * 86_400_000);
    expect(cache.get()).toBe("v1");
  });

  test("R4, R19 idempotency: the same value set twice is renewed", async () => {
    const { time, cache } = cacheAt();
    cache.set("v1", 1_000);
    await time.advance(900);
    cache.set("v1", 1_000);
    expect(cache.expiresAtMs).toBe(time.now() + 1_000);
    await time.advance(999);
    expect(cache.get()).toBe("v1");
  });

  test("R4: a shorter TTL counts as well as a longer one", async () => {
    const { time, cache } = cacheAt();
    cache.set("v1", 10_000);
    cache.set("v2", 10);
    await time.advance(10);
    expect(cache.get()).toBeUndefined();
  });

  test("R4, R19 cancellation: invalidate() clears everything, the last good value too, and may be called twice", () => {
    const { cache } = cacheAt();
    cache.set("v1", 1_000);
    cache.invalidate();
    cache.invalidate();
    expect([cache.get(), cache.getStale(), cache.expiresAtMs]).toEqual([undefined, undefined, undefined]);
    cache.set("v2", 1_000);
    expect(cache.get()).toBe("v2");
  });

  test("R4, R19 parse error: a body that is no map never gets in, and the last good value stays", async () => {
    const { cache } = cacheAt();
    cache.set("v1", 1_000);
    const refresh = async (): Promise<void> => {
      const { payload, expiresAtMs } = await loadConnectorServiceMap({
        serviceMapUrl: "https://publisher.example/map",
        signatureKey: "k",
        fetchImpl: async () => new Response("{"),
      });
      cache.set(payload.id, expiresAtMs);
    };
    await expect(refresh()).rejects.toMatchObject({ rule: "json" });
    expect([cache.get(), cache.getStale()]).toEqual(["v1", "v1"]);
  });

  test("R4, R19 time skew: a clock that is set back makes no life longer, seen at the next look", async () => {
    const { time, cache } = cacheAt();
    cache.set("v1", 1_000);
    await time.advance(400);
    expect(cache.get()).toBe("v1");
    time.jump(-7_200_000);
    expect(cache.get()).toBe("v1");
    await time.advance(599);
    expect(cache.get()).toBe("v1");
    await time.advance(1);
    expect(cache.get()).toBeUndefined();
    expect(cache.getStale(1)).toBe("v1");
    await time.advance(1);
    expect(cache.getStale(1)).toBeUndefined();
  });

  test("R4, R19 time skew: a clock that is set on expires it", () => {
    const { time, cache } = cacheAt();
    cache.set("v1", 1_000);
    time.jump(7_200_000);
    expect(cache.get()).toBeUndefined();
    expect(cache.getStale(7_199_001)).toBe("v1");
  });

  test("R4: values that are false, empty or undefined are values", () => {
    const cache = new ManifestCache<unknown>(new ManualTime());
    for (const value of [false, 0, "", null]) {
      cache.set(value, 1);
      expect(cache.get()).toBe(value);
    }
  });

  test("R4, R17: without a clock it takes the machine's", () => {
    vi.useFakeTimers({ now: 5_000 });
    try {
      const cache = new ManifestCache<CachedValue<string>>();
      const value = { value: "v1", expiresAtMs: 6_000 };
      cache.set(value, 1_000);
      expect(cache.expiresAtMs).toBe(6_000);
      vi.advanceTimersByTime(1_000);
      expect([cache.get(), cache.getStale()]).toEqual([undefined, value]);
    } finally {
      vi.useRealTimers();
    }
  });
});
