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

  test("fetches nothing by itself, whatever happens", async () => {
    const follower = await rig().following(["a"], { flags, maxStaleMs: DAY });
    rig().publisher.trouble = "down";
    for (let count = 0; count < 4; count++) await follower.sync(true);
    expect(follower.status()).toMatchObject({ mode: "synchronous", circuit: "open" });
    expect(follower.status().nextRefreshAt).toBeUndefined();
    rig().publisher.requests = 0;
    await rig().time.advance(3 * DAY);
    expect(rig().publisher.requests).toBe(0);
  });

  test("keeps the bound all the same: who listens hears of it without asking", async () => {
    const follower = await rig().following(["a"], { flags, maxStaleMs: DAY });
    const states: unknown[] = [];
    follower.subscribe(() => states.push([follower.status().state, idsOf(follower.inForce)]));
    await rig().time.advance(2 * TTL);
    expect(urgencies()).toEqual(["warn overdue"]);
    await rig().time.advance(DAY - TTL - 1);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    await rig().time.advance(1);
    expect(states.at(-1)).toEqual(["expired", undefined]);
    expect(urgencies()).toEqual(["warn overdue", "warn half", "warn nine-tenths", "error expired"]);
    rig().publisher.trouble = "down";
    await expect(follower.sync()).rejects.toMatchObject({ code: "SERVICE_MAP" });
  });

  test("sees what a step of the clock did when somebody asks", async () => {
    const follower = await rig().following(["a"], { flags, maxStaleMs: DAY });
    const heard: unknown[] = [];
    follower.subscribe(() => heard.push(follower.status().state));
    rig().time.jump(2 * DAY);
    expect(heard).toEqual([]);
    rig().publisher.trouble = "down";
    await expect(follower.sync()).rejects.toMatchObject({ code: "SERVICE_MAP" });
    expect(heard).toEqual(["expired"]);
  });
});
