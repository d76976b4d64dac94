import { describe, expect, test } from "vitest";
import { idsOf, INTERVAL, TTL, useRig } from "./follower-set-up.js";

const rig = useRig();
const often = { asyncRefresh: true, refreshIntervalMs: TTL / 3 };

describe("a publisher that only confirms (reliability.md, 5.2: freeze)", () => {
  test("a 304 renews the time to live", async () => {
    const follower = await rig().following(["a"], { flags: often });
    await rig().time.advance(TTL - 1);
    expect(rig().outcomes).toEqual(["changed", "unchanged", "unchanged"]);
    const expiresAt = "2023-11-14T22:21:40.000Z";
    expect(follower.status()).toMatchObject({ state: "fresh", expiresAt, ageSeconds: 300 });
  });

  test("past its own time to live a map is asked for as a whole: it should have been signed anew", async () => {
    const follower = await rig().following(["a"], { flags: often });
    await rig().time.advance(TTL);
    expect(rig().publisher.conditions.map((etag) => etag !== undefined)).toEqual([false, true, true, false]);
    expect(follower.status().lastError).toContain("(rule: expired)");
    expect(idsOf(follower.inForce)).toEqual(["a"]);
  });

  test("one whose ETag names the connectors and not the signing keeps no fleet at an old signature", async () => {
    rig().publisher.etagNames = "connectors";
    const follower = await rig().following(["a"], { maxStaleMs: TTL, flags: often });
    const wholes: boolean[] = [];
    for (let round = 0; round < 30; round++) {
      rig().publisher.publish({ connectors: ["a"] });
      await rig().time.advance(TTL / 3);
      expect(follower.status()).toMatchObject({ state: "fresh", failures: 0 });
      wholes.push(rig().publisher.conditions.at(-1) === undefined);
    }
    expect(new Set(wholes)).toEqual(new Set([true, false]));
  });

  test("nor after a restart with a map that went stale or expired meanwhile", async () => {
    rig().publisher.etagNames = "connectors";
    for (const awayMs of [TTL, 3 * TTL]) {
      await (await rig().following(["a"], { maxStaleMs: TTL })).stop();
      await rig().time.advance(awayMs);
      rig().publisher.publish({ connectors: ["a"] });
      const follower = rig().follow({ maxStaleMs: TTL });
      await follower.sync();
      expect(follower.status()).toMatchObject({ state: "fresh", ageSeconds: 0 });
      expect(rig().publisher.conditions.at(-1)).toBeUndefined();
      await follower.stop();
    }
  });

  test("no 304 extends the bound, and none that is beyond it makes anything fresh", async () => {
    const follower = await rig().following(["a"], { maxStaleMs: TTL / 2, flags: often });
    await rig().time.advance(TTL - 1);
    const { expiresAt, staleUntil } = follower.status();
    expect([expiresAt, staleUntil]).toEqual(["2023-11-14T22:20:50.000Z", "2023-11-14T22:20:50.000Z"]);
    rig().publisher.trouble = "only 304";
    await rig().time.advance(TTL / 2);
    expect(follower.status()).toMatchObject({ state: "fresh", lastError: expect.stringContaining("not-modified") });
    await rig().time.advance(1);
    expect(follower.status()).toMatchObject({ state: "expired", expiresAt, staleUntil });
    expect([follower.inForce, follower.isFresh]).toEqual([undefined, false]);
    await expect(follower.sync(true)).rejects.toMatchObject({ code: "SERVICE_MAP" });
    rig().publisher.trouble = "none";
    rig().publisher.publish({ connectors: ["b"] });
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
  });

  test("a map that expires while the last answer still counts is asked for anew", async () => {
    const flags = { asyncRefresh: false, refreshIntervalMs: INTERVAL };
    const follower = await rig().following(["a"], { maxStaleMs: TTL / 2, flags });
    await rig().time.advance(TTL - 1);
    await follower.sync(true);
    await rig().time.advance(TTL / 2 + 1);
    expect(follower.inForce).toBeUndefined();
    rig().publisher.publish({ connectors: ["b"] });
    await follower.sync();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
  });

  test("a 304 to a request for the whole map confirms nothing", async () => {
    const follower = await rig().following(["a"]);
    rig().publisher.trouble = "only 304";
    await rig().time.advance(TTL);
    expect(rig().publisher.conditions).toEqual([undefined, undefined]);
    expect(follower.lastFailure).toMatchObject({ rule: "not-modified" });
    expect(follower.status()).toMatchObject({ state: "stale", failures: 1 });
  });
});
