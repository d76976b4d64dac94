import { fixedRandom } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { idsOf, INTERVAL, useRig } from "./follower-set-up.js";

const rig = useRig();

describe("a refresh in the background (R5, R6)", () => {
  test("brings a new map without anybody asking, and says so", async () => {
    const follower = await rig().following(["a"]);
    rig().publisher.publish({ connectors: ["b"], atMs: rig().time.now() + 1 });
    await rig().time.advance(INTERVAL);
    expect(idsOf(follower.inForce)).toEqual(["b"]);
    expect(rig().logger.messages("info")).toEqual([
      "Service map accepted",
      "Service map accepted",
      "Refresh completed",
    ]);
  });

  test("that fails is logged as 'Refresh failed', once, also while the last map is served", async () => {
    const follower = await rig().following(["a"]);
    rig().publisher.trouble = "500";
    await rig().time.advance(INTERVAL);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(rig().logger.lines.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        message: "Refresh failed",
        fields: { brand: "brAInwav", error: expect.stringContaining("HTTP 500") },
      },
    ]);
    expect(follower.lastFailure).toMatchObject({ rule: "http-status" });
  });

  test("a map that was only signed anew is no news at info", async () => {
    const follower = await rig().following(["a"]);
    rig().publisher.publish({ connectors: ["a"], atMs: rig().time.now() + 1 });
    await follower.refresh();
    expect(rig().logger.messages("info")).toEqual(["Service map accepted"]);
    expect(rig().logger.messages("debug")).toEqual(["Service map renewed"]);
  });
});

describe("after a failure (R6)", () => {
  test("it tries again after a backoff that grows, never with a second timer beside it, until the circuit opens", async () => {
    const follower = await rig().following(["a"]);
    rig().publisher.trouble = "down";
    await follower.sync(true);
    rig().publisher.requests = 0;
    // With chance at a half: 500 ms, then 1 s, then the circuit's 10 s and a tenth of it.
    for (const delayMs of [500, 1_000, 11_000]) {
      expect(follower.status().nextRefreshAt).toBe(new Date(rig().time.now() + delayMs).toISOString());
      // The retry, the next scheduled run, and the look at the map's age.
      expect(rig().time.delays).toHaveLength(3);
      await rig().time.advance(delayMs - 1);
      const before = rig().publisher.requests;
      await rig().time.advance(1);
      expect(rig().publisher.requests).toBe(before + 1);
    }
    expect(follower.status()).toMatchObject({ circuit: "open", failures: 4 });
  });

  test("a success ends the retries", async () => {
    const follower = await rig().following(["a"]);
    rig().publisher.trouble = "down";
    await follower.sync(true);
    rig().publisher.trouble = "none";
    await rig().time.advance(500);
    expect(follower.status()).toMatchObject({ failures: 0, circuit: "closed", state: "fresh" });
    expect(follower.status().lastError).toBeUndefined();
    rig().publisher.requests = 0;
    await rig().time.advance(INTERVAL - 1);
    expect(rig().publisher.requests).toBe(0);
    await rig().time.advance(1);
    expect(rig().publisher.requests).toBe(1);
  });

  test("with nothing to serve it goes on trying by itself, and recovers", async () => {
    rig().publisher.trouble = "down";
    const follower = rig().follow();
    await expect(follower.sync()).rejects.toThrow("network");
    rig().publisher.trouble = "none";
    rig().publisher.publish();
    await rig().time.advance(500);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
  });

  test("the backoff never exceeds the refresh interval", async () => {
    const follower = await rig().following(["a"], {
      flags: { asyncRefresh: true, refreshIntervalMs: 100 },
      random: fixedRandom(0.999),
    });
    rig().publisher.trouble = "down";
    await follower.sync(true);
    expect(Math.max(...rig().time.delays.slice(0, 2))).toBeLessThanOrEqual(120);
  });
});

describe("the circuit (R6)", () => {
  async function opened(): Promise<ReturnType<ReturnType<typeof rig>["follow"]>> {
    const follower = await rig().following(["a"], { flags: { asyncRefresh: false, refreshIntervalMs: INTERVAL } });
    rig().publisher.trouble = "down";
    for (let count = 0; count < 3; count++) await follower.sync(true);
    rig().publisher.requests = 0;
    return follower;
  }

  test("opens with three failures in a row: nobody is asked, what there is is served", async () => {
    const follower = await opened();
    expect(follower.status().circuit).toBe("open");
    await Promise.all(Array.from({ length: 100 }, async () => follower.sync(true)));
    expect(rig().publisher.requests).toBe(0);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(follower.status()).toMatchObject({ failures: 3, lastError: expect.stringContaining("network") });
    expect(rig().outcomes).toEqual(["changed", "unreachable", "unreachable", "unreachable"]);
  });

  test("with nothing to serve it fails fast, and tells why and for how long", async () => {
    rig().publisher.trouble = "500";
    const follower = rig().follow({ flags: { asyncRefresh: false, refreshIntervalMs: INTERVAL } });
    for (let count = 0; count < 3; count++)
      await expect(follower.sync()).rejects.toMatchObject({ rule: "http-status" });
    await expect(follower.sync()).rejects.toMatchObject({
      rule: "circuit-open",
      reason: "is not asked for during the next 10 s, after 3 failures in a row; the last one: answered HTTP 500",
    });
    expect(rig().publisher.requests).toBe(3);
  });

  test("half-open sends exactly one probe for 1,000 callers; a success closes it for all of them", async () => {
    const follower = await opened();
    await rig().time.advance(10_000);
    expect(follower.status().circuit).toBe("half-open");
    rig().publisher.trouble = "none";
    await Promise.all(Array.from({ length: 1_000 }, async () => follower.sync(true)));
    expect(rig().publisher.requests).toBe(1);
    expect(follower.status()).toMatchObject({ circuit: "closed", failures: 0 });
  });

  test("a probe that fails opens it for twice as long, for all who waited", async () => {
    const follower = await opened();
    await rig().time.advance(10_000);
    await Promise.all(Array.from({ length: 1_000 }, async () => follower.sync(true)));
    expect(rig().publisher.requests).toBe(1);
    await rig().time.advance(19_999);
    expect(follower.status().circuit).toBe("open");
    await rig().time.advance(1);
    expect(follower.status().circuit).toBe("half-open");
  });

  test("a person's refresh asks at once, and closes it", async () => {
    const follower = await opened();
    await expect(follower.refresh()).rejects.toMatchObject({ rule: "network" });
    expect(rig().publisher.requests).toBe(1);
    expect(follower.status().failures).toBe(3);
    rig().publisher.trouble = "none";
    await follower.refresh();
    expect(follower.status().circuit).toBe("closed");
  });

  test("a scheduled run while it is open asks nobody, and has neither failed nor completed", async () => {
    const follower = await rig().following(["a"], { flags: { asyncRefresh: true, refreshIntervalMs: 1_000 } });
    rig().publisher.trouble = "down";
    for (let count = 0; count < 3; count++) await follower.sync(true);
    rig().publisher.requests = 0;
    rig().logger.lines.length = 0;
    // The circuit's 10 s and a tenth; as soon as it is known, the scheduled run that comes when they are just over.
    const [probeMs, runMs] = [rig().time.now() + 11_000, rig().time.now() + 10_000];
    expect(follower.status().nextRefreshAt).toBe(new Date(probeMs).toISOString());
    await rig().time.advance(8_500);
    expect(follower.status().nextRefreshAt).toBe(new Date(probeMs).toISOString());
    await rig().time.advance(1_000);
    expect(rig().publisher.requests).toBe(0);
    expect(
      rig()
        .logger.messages("debug")
        .filter((message) => message === "Refresh skipped").length,
    ).toBeGreaterThan(5);
    expect([...rig().logger.messages("warn"), ...rig().logger.messages("info")]).toEqual([]);
    expect(follower.status().nextRefreshAt).toBe(new Date(runMs).toISOString());
    await rig().time.advance(499);
    await rig().time.advance(2_000);
    expect(rig().publisher.requests).toBe(1);
  });
});
