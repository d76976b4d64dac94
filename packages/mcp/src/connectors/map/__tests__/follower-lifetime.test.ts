import { LONGEST_DELAY_MS } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { DAY, idsOf, INTERVAL, TTL, useRig } from "./follower-set-up.js";

const rig = useRig();

/** The warnings and errors about age, in order, with when they came. */
function urgencies(): unknown[] {
  return rig()
    .logger.lines.filter(({ fields }) => "urgency" in fields)
    .map(({ level, fields }) => `${level} ${String(fields["urgency"])}`);
}

describe("while the publisher is away (R6: stale-on-error)", () => {
  test("the last map is served for maxStale, with a warning a time to live after it went stale, at half and at nine tenths, and one error at the end", async () => {
    const follower = await rig().following(["a"], { maxStaleMs: DAY });
    rig().publisher.trouble = "down";
    const told: string[] = [];
    follower.subscribe(() => {
      const { state } = follower.status();
      if (told.at(-1) !== state) told.push(state);
    });
    await rig().time.advance(2 * TTL - 1);
    expect(urgencies()).toEqual([]);
    await rig().time.advance(1);
    expect(urgencies()).toEqual(["warn overdue"]);
    await rig().time.advance(DAY / 2 - TTL);
    expect(urgencies()).toEqual(["warn overdue", "warn half"]);
    await rig().time.advance(DAY / 2 - 1);
    expect(follower.status()).toMatchObject({ state: "stale", staleUntil: "2023-11-15T22:18:20.000Z" });
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    await rig().time.advance(1);
    expect(follower.inForce).toBeUndefined();
    expect(idsOf(follower.expired)).toEqual(["a"]);
    expect(told).toEqual(["stale", "expired"]);
    await rig().time.advance(DAY);
    expect(urgencies()).toEqual(["warn overdue", "warn half", "warn nine-tenths", "error expired"]);
  });

  test("a new map ends the episode, and the next outage warns again", async () => {
    const follower = await rig().following(["a"], { maxStaleMs: DAY });
    for (const connectors of [["a"], ["b"]]) {
      rig().publisher.trouble = "down";
      await rig().time.advance(4 * TTL);
      rig().publisher.trouble = "none";
      rig().publisher.publish({ connectors });
      await follower.refresh();
      expect(follower.status().state).toBe("fresh");
    }
    expect(urgencies()).toEqual(["warn overdue", "warn overdue"]);
  });

  test("a map that expired comes back with the next good answer", async () => {
    const follower = await rig().following(["a"], { maxStaleMs: TTL });
    rig().publisher.trouble = "down";
    await rig().time.advance(3 * TTL);
    await expect(follower.sync()).rejects.toMatchObject({ rule: "circuit-open" });
    rig().publisher.trouble = "none";
    rig().publisher.publish({ connectors: ["b"] });
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
  });

  test("maxStale may be longer than a timer can wait: the bound is kept to the day", async () => {
    const follower = await rig().following(["a"], {
      maxStaleMs: 60 * DAY,
      flags: { asyncRefresh: true, refreshIntervalMs: LONGEST_DELAY_MS },
    });
    expect(60 * DAY).toBeGreaterThan(LONGEST_DELAY_MS);
    rig().publisher.trouble = "down";
    await rig().time.advance(60 * DAY + TTL - 1);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    await rig().time.advance(1);
    expect(follower.inForce).toBeUndefined();
    expect(urgencies().at(-1)).toBe("error expired");
  });
});

test("the time that storing took does not make an answer count for longer (R4)", async () => {
  const { load, update } = rig().store;
  rig().store = {
    load,
    update: async (change) => {
      await rig().time.advance(2_000);
      return update(change);
    },
  };
  const follower = await rig().following(["a"], { flags: { asyncRefresh: false, refreshIntervalMs: INTERVAL } });
  await rig().time.advance(TTL - 2_001);
  expect([follower.isFresh, follower.status().state]).toEqual([true, "fresh"]);
  await rig().time.advance(1);
  expect([follower.isFresh, follower.status().state]).toEqual([false, "stale"]);
});

describe("a publisher that only confirms (reliability.md, 5.2: freeze)", () => {
  test("a 304 makes the map fresh again", async () => {
    const follower = await rig().following();
    await rig().time.advance(TTL);
    await rig().time.advance(TTL);
    expect(rig().outcomes).toEqual(["changed", "unchanged", "unchanged"]);
    expect(follower.status()).toMatchObject({ state: "fresh", expiresAt: "2023-11-14T22:28:20.000Z", ageSeconds: 600 });
  });

  test("but no 304 extends the bound: it expires after maxStale, with warnings, though every refresh got an answer", async () => {
    const follower = await rig().following(["a"], { maxStaleMs: DAY });
    await rig().time.advance(DAY + TTL - 1);
    expect(follower.status().state).toBe("fresh");
    expect(urgencies()).toEqual(["warn half", "warn nine-tenths"]);
    await rig().time.advance(1);
    expect(follower.inForce).toBeUndefined();
    await rig().time.advance(INTERVAL);
    expect(follower.status()).toMatchObject({
      state: "expired",
      lastError: expect.stringContaining("signed too long ago"),
    });
    expect(rig().outcomes.at(-1)).toBe("refused");
    rig().publisher.publish({ connectors: ["b"] });
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
  });
});

describe("clocks that jump (reliability.md, 5.2)", () => {
  test("a wall clock set back extends neither freshness nor life", async () => {
    const follower = await rig().following(["a"], { maxStaleMs: DAY });
    rig().publisher.trouble = "down";
    rig().time.jump(-2 * 3_600_000);
    await rig().time.advance(TTL - 1);
    expect(follower.isFresh).toBe(true);
    await rig().time.advance(1);
    expect(follower.isFresh).toBe(false);
    await rig().time.advance(DAY);
    expect(follower.inForce).toBeUndefined();
  });

  test.each([
    [2 * 3_600_000, "stale"],
    [90 * DAY, "expired"],
  ])("a step of %d ms forward counts at once: %s", async (deltaMs, state) => {
    const follower = await rig().following();
    rig().time.jump(deltaMs);
    expect(follower.isFresh).toBe(false);
    expect(follower.status().state).toBe(state);
    expect(follower.inForce === undefined).toBe(state === "expired");
  });
});

describe("synchronous mode (R7)", () => {
  const flags = { asyncRefresh: false, refreshIntervalMs: INTERVAL };

  test("has no timer at all, whatever happens", async () => {
    const follower = await rig().following(["a"], { flags });
    expect(rig().time.pending).toBe(0);
    rig().publisher.trouble = "down";
    for (let count = 0; count < 4; count++) {
      await follower.sync(true);
      expect(rig().time.pending).toBe(0);
    }
    expect(follower.status()).toMatchObject({ mode: "synchronous", circuit: "open" });
    expect(follower.status().nextRefreshAt).toBeUndefined();
  });

  test("sees age when somebody asks", async () => {
    const follower = await rig().following(["a"], { flags, maxStaleMs: DAY });
    rig().publisher.trouble = "down";
    await rig().time.advance(2 * TTL);
    await follower.sync();
    expect(urgencies()).toEqual(["warn overdue"]);
    await rig().time.advance(DAY);
    await expect(follower.sync()).rejects.toMatchObject({ code: "SERVICE_MAP" });
    expect(urgencies()).toEqual(["warn overdue", "error expired"]);
  });
});
