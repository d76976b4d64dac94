import { describe, expect, test, vi } from "vitest";
import { KeyRing } from "@cortex-os/protocol";
import { DAY, idsOf, INTERVAL, TTL, useRig } from "./follower-set-up.js";

const rig = useRig();

describe("sync (R6)", () => {
  test("fetches when there is nothing, and uses what it has while that is fresh", async () => {
    const follower = await rig().following(["a", "b"]);
    expect(idsOf(follower.inForce)).toEqual(["a", "b"]);
    expect(follower.isFresh).toBe(true);
    await rig().time.advance(TTL - 1);
    rig().publisher.requests = 0;
    await follower.sync();
    expect(rig().publisher.requests).toBe(0);
    expect(rig().logger.lines.at(-1)).toEqual({
      level: "debug",
      message: "Using cached manifest",
      fields: { brand: "brAInwav", url: "https://maps.example/v1/connectors/service-map" },
    });
  });

  test("fetches when what it has is fresh no more, and with force at any time", async () => {
    const follower = await rig().following(["a"], { flags: { asyncRefresh: false, refreshIntervalMs: INTERVAL } });
    await follower.sync(true);
    expect(rig().outcomes).toEqual(["changed", "unchanged"]);
    await rig().time.advance(TTL);
    expect(follower.isFresh).toBe(false);
    rig().publisher.publish({ connectors: ["b"] });
    await follower.sync();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
    expect(rig().outcomes).toEqual(["changed", "unchanged", "changed"]);
  });

  test.each([{ force: false }, { force: true }])(
    "1,000 at once with force $force share one fetch",
    async ({ force }) => {
      rig().publisher.publish();
      const follower = rig().follow();
      await Promise.all(Array.from({ length: 1_000 }, async () => follower.sync(force)));
      expect(rig().publisher.requests).toBe(1);
    },
  );

  test("1,000 at once that fail share one fetch, and with nothing to serve each of them rejects", async () => {
    rig().publisher.trouble = "down";
    const follower = rig().follow();
    const ends = await Promise.allSettled(Array.from({ length: 1_000 }, async () => follower.sync()));
    expect(rig().publisher.requests).toBe(1);
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(1_000);
    expect(rig().logger.messages("warn")).toEqual(["Refresh failed"]);
  });

  test("with nothing to serve rejects with a ConnectorManifestError that names URL and rule", async () => {
    rig().publisher.trouble = "500";
    const follower = rig().follow();
    await expect(follower.sync()).rejects.toMatchObject({
      name: "ConnectorManifestError",
      code: "SERVICE_MAP",
      rule: "http-status",
      message: expect.stringMatching(/https:\/\/maps\.example\/v1\/connectors\/service-map: .*rule: http-status/),
    });
    expect(follower.inForce).toBeUndefined();
    expect(follower.status()).toMatchObject({ state: "none", failures: 1 });
  });

  test("with something to serve a failure is logged and swallowed (stale-on-error)", async () => {
    const follower = await rig().following(["a"], { flags: { asyncRefresh: false, refreshIntervalMs: TTL } });
    rig().publisher.trouble = "down";
    await rig().time.advance(TTL * 10);
    const before = rig().logger.messages("warn").length;
    await follower.sync(true);
    expect(follower.status()).toMatchObject({ state: "stale", lastError: expect.stringContaining("network") });
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(rig().logger.messages("warn").slice(before)).toEqual(["Refresh failed"]);
  });

  test("while the circuit is open nobody is asked, and nothing is logged as a failure", async () => {
    const follower = await rig().following(["a"], { flags: { asyncRefresh: false, refreshIntervalMs: TTL } });
    rig().publisher.trouble = "down";
    for (let count = 0; count < 9; count++) await follower.sync(true);
    expect(rig().logger.messages("warn")).toEqual(["Refresh failed", "Refresh failed", "Refresh failed"]);
    expect(
      rig()
        .logger.messages("debug")
        .filter((message) => message === "Refresh skipped"),
    ).toHaveLength(6);
  });

  test("without keys rejects as long as there are none, and works as soon as there are", async () => {
    rig().publisher.publish();
    let keys = async (): Promise<KeyRing> => {
      throw new Error("CONNECTORS_KEYS_FILE cannot be read");
    };
    const follower = rig().follow({ keys: async () => keys() });
    await expect(follower.sync()).rejects.toMatchObject({
      rule: "request",
      message: expect.stringContaining("key ring"),
    });
    expect(rig().publisher.requests).toBe(0);
    expect(rig().outcomes).toEqual([]);
    keys = async () => rig().keys;
    await follower.sync();
    expect(idsOf(follower.inForce)).toEqual(["a"]);
  });

  test("a ring that accepts nothing serves nothing", async () => {
    rig().publisher.publish();
    rig().keys = KeyRing.fromJwks({ keys: [] });
    await expect(rig().follow().sync()).rejects.toMatchObject({ rule: "request" });
    expect(rig().publisher.requests).toBe(0);
  });
});

describe("in synchronous mode a publisher that hangs (R6)", () => {
  const flags = { asyncRefresh: false, refreshIntervalMs: INTERVAL };

  test("keeps nobody with a map to serve waiting for more than half a second; the fetch ends behind them", async () => {
    const follower = await rig().following(["a"], { flags });
    await rig().time.advance(TTL);
    rig().publisher.trouble = "hangs";
    const ended = vi.fn<() => void>();
    const first = follower.sync().then(ended);
    await rig().time.advance(499);
    expect(ended).not.toHaveBeenCalled();
    await rig().time.advance(1);
    expect(ended).toHaveBeenCalledTimes(1);
    await first;
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(rig().publisher).toMatchObject({ requests: 2, aborted: 0 });
    await rig().time.advance(4_500);
    expect(rig().publisher.aborted).toBe(1);
    expect(follower.status()).toMatchObject({ failures: 1, state: "stale" });
  });

  test("is waited for as long as it may take with force, and with nothing to serve", async () => {
    rig().publisher.trouble = "hangs";
    const nothing = expect(rig().follow({ flags }).sync()).rejects.toMatchObject({ rule: "timeout" });
    await rig().time.advance(5_000);
    await nothing;
    rig().publisher.trouble = "none";
    const follower = await rig().following(["a"], { flags, freshenWaitMs: 1 });
    rig().publisher.trouble = "hangs";
    const ended = vi.fn<() => void>();
    const forced = follower.sync(true).then(ended);
    await rig().time.advance(4_999);
    expect(ended).not.toHaveBeenCalled();
    await rig().time.advance(1);
    await forced;
  });
});

describe("listeners", () => {
  test("hear of each attempt's end; one that throws harms no other, and the way out is a way out", async () => {
    rig().publisher.publish();
    const follower = rig().follow();
    const heard: (string[] | undefined)[] = [];
    follower.subscribe(() => {
      throw new Error("mine");
    });
    const leave = follower.subscribe(() => heard.push(idsOf(follower.inForce)));
    await follower.sync();
    rig().publisher.publish({ connectors: ["b"], atMs: rig().time.now() + 1 });
    await follower.sync(true);
    leave();
    leave();
    await follower.sync(true);
    expect(heard).toEqual([["a"], ["b"]]);
    expect(rig().logger.messages("error")).toContain("A listener of the service map failed");
  });
});

describe("status", () => {
  test("says nothing it does not know", () => {
    const follower = rig().follow();
    expect(follower.status()).toEqual({
      url: "https://maps.example/v1/connectors/service-map",
      mode: "background",
      state: "none",
      circuit: "closed",
      failures: 0,
      nextRefreshAt: "2023-11-14T22:18:20.000Z",
    });
    expect(follower.known).toEqual([]);
    expect(follower.diff).toBeUndefined();
  });

  test("says where the map is from, how old it is and what comes next", async () => {
    const follower = await rig().following(["a", "b"]);
    await rig().time.advance(60_000);
    expect(follower.status()).toEqual({
      url: "https://maps.example/v1/connectors/service-map",
      mode: "background",
      state: "fresh",
      id: follower.inForce?.id,
      generatedAt: "2023-11-14T22:13:20.000Z",
      connectors: 2,
      ageSeconds: 60,
      expiresAt: "2023-11-14T22:18:20.000Z",
      staleUntil: "2023-11-21T22:18:20.000Z",
      lastAttemptAt: "2023-11-14T22:13:20.000Z",
      lastSuccessAt: "2023-11-14T22:13:20.000Z",
      nextRefreshAt: "2023-11-14T22:18:20.000Z",
      circuit: "closed",
      failures: 0,
    });
  });

  test("names the key that signed, and counts the connectors that are enabled", async () => {
    const { keys } = rig();
    const named = KeyRing.fromJwks({
      keys: [{ kty: "oct", kid: "k1", k: Buffer.from("k1".repeat(20)).toString("base64url") }],
    });
    rig().keys = KeyRing.merge(keys, named);
    rig().publisher.publish({ key: "k1".repeat(20), kid: "k1", connectors: ["a"] });
    const follower = rig().follow({ maxStaleMs: 40 * DAY });
    await follower.sync();
    expect(follower.status()).toMatchObject({ keyId: "k1", connectors: 1, staleUntil: "2023-12-24T22:18:20.000Z" });
  });
});
