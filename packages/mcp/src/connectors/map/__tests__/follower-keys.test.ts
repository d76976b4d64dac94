import { KeyRing } from "@cortex-os/protocol";
import { describe, expect, test } from "vitest";
import type { FetchLike } from "../../fetch-like.js";
import { idsOf, TTL, useRig } from "./follower-set-up.js";
import { KEY, OTHER_KEY } from "./map-set-up.js";

const rig = useRig();

const jwk = (kid: string, secret: string): object => ({
  kty: "oct",
  kid,
  k: Buffer.from(secret).toString("base64url"),
});
const OLD = jwk("old", KEY);
const NEW = jwk("new", OTHER_KEY);
const ringOf = (...keys: readonly object[]): KeyRing => KeyRing.fromJwks({ keys });

describe("a key that is removed (R2; reliability.md, 5.2: removal is immediate)", () => {
  test("takes the map that it signed out of force with the next look at the ring, though the publisher is away", async () => {
    rig().keys = ringOf(OLD, NEW);
    rig().publisher.publish({ kid: "old" });
    const follower = rig().follow();
    await follower.sync();
    rig().keys = ringOf(NEW);
    rig().publisher.trouble = "down";
    await expect(follower.sync(true)).rejects.toMatchObject({ rule: "network" });
    expect(follower.inForce).toBeUndefined();
    expect(follower.isFresh).toBe(false);
    expect(follower.status().state).toBe("none");
    expect(rig().logger.lines).toContainEqual(
      expect.objectContaining({
        level: "warn",
        message: "A stored service map is dropped",
        fields: expect.objectContaining({ reason: expect.stringContaining('"old"') }),
      }),
    );
  });

  test("between two refreshes too, where the keys may change: within a look, and the publisher is asked at once", async () => {
    rig().keys = ringOf(OLD);
    const follower = rig().follow({ keysLookMs: 2_000 });
    await rig().time.advance(2_000);
    rig().publisher.publish({ kid: "old" });
    await follower.sync();
    rig().keys = ringOf(NEW);
    await rig().time.advance(1_999);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    rig().publisher.publish({ kid: "new", key: OTHER_KEY, connectors: ["b"], atMs: rig().time.now() + 1 });
    const told: (string[] | undefined)[] = [];
    follower.subscribe(() => told.push(idsOf(follower.inForce)));
    await rig().time.advance(1);
    expect(told[0]).toBeUndefined();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
    expect(rig().publisher.requests).toBe(2);
  });

  test("in synchronous mode too, and nothing is fetched for it", async () => {
    rig().keys = ringOf(OLD, NEW);
    rig().publisher.publish({ kid: "old" });
    const flags = { asyncRefresh: false, refreshIntervalMs: TTL };
    const follower = rig().follow({ keysLookMs: 2_000, flags });
    await follower.sync();
    const told: (string[] | undefined)[] = [];
    follower.subscribe(() => told.push(idsOf(follower.inForce)));
    rig().keys = ringOf(OLD);
    await rig().time.advance(2_000);
    expect(told).toEqual([["a"]]);
    rig().keys = ringOf(NEW);
    await rig().time.advance(2_000);
    expect(told).toEqual([["a"], undefined]);
    expect(rig().publisher.requests).toBe(1);
  });

  test("a ring that cannot be read at a look leaves all as it is", async () => {
    let broken = false;
    const ringNow = ringOf(OLD);
    rig().keys = ringNow;
    rig().publisher.publish({ kid: "old" });
    const keys = async (): Promise<KeyRing> => {
      if (broken) throw new Error("no such file");
      return ringNow;
    };
    const follower = rig().follow({ keysLookMs: 2_000, keys });
    await follower.sync();
    broken = true;
    await rig().time.advance(10_000);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(rig().publisher.requests).toBe(1);
  });

  test("also while the circuit is open and nobody is asked", async () => {
    rig().keys = ringOf(OLD);
    rig().publisher.publish({ kid: "old" });
    const follower = rig().follow();
    await follower.sync();
    rig().publisher.trouble = "down";
    for (let count = 0; count < 3; count++) await follower.sync(true);
    rig().keys = ringOf(NEW);
    await expect(follower.sync(true)).rejects.toMatchObject({ rule: "circuit-open" });
    expect(follower.inForce).toBeUndefined();
  });

  test("is no help to a restart: what is stored is verified with the keys of now", async () => {
    rig().keys = ringOf(OLD);
    rig().publisher.publish({ kid: "old" });
    await rig().follow().sync();
    rig().keys = ringOf(NEW);
    const follower = rig().follow();
    await follower.load();
    expect(follower.inForce).toBeUndefined();
    expect(follower.known).toEqual([]);
  });

  test("a pinned map whose key is gone gives way to the newest", async () => {
    rig().keys = ringOf(OLD, NEW);
    rig().publisher.publish({ kid: "old" });
    const follower = rig().follow();
    await follower.sync();
    await follower.operate({ kind: "pin" });
    await rig().time.advance(1_000);
    rig().publisher.publish({ kid: "new", key: OTHER_KEY, connectors: ["b"] });
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    rig().keys = ringOf(NEW);
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
    expect(follower.status().pinned).toBeUndefined();
  });

  test("while a map is on its way, that map is not used", async () => {
    rig().keys = ringOf(OLD);
    rig().publisher.publish({ kid: "old" });
    const fetchImpl: FetchLike = async (url, init) => {
      rig().keys = ringOf(NEW);
      // Somebody else looks at the ring meanwhile.
      await follower.operate({ kind: "reset-floor" });
      return rig().publisher.fetch(url, init);
    };
    const follower = rig().follow({ fetchImpl });
    await expect(follower.sync()).rejects.toMatchObject({ rule: "unknown-key" });
    expect(follower.inForce).toBeUndefined();
  });
});

describe("rotation (R2)", () => {
  test("old and new in the ring, the publisher switches, old is removed, refreshing every 100 ms: 0 failed refreshes", async () => {
    rig().keys = ringOf(OLD);
    rig().publisher.publish({ kid: "old" });
    const follower = rig().follow({ flags: { asyncRefresh: true, refreshIntervalMs: 100 } });
    await follower.sync();
    for (let step = 0; step < 300; step++) {
      if (step === 100) rig().keys = ringOf(OLD, NEW);
      const signedAnew = step % 10 === 0;
      if (signedAnew) rig().publisher.publish(step < 150 ? { kid: "old" } : { kid: "new", key: OTHER_KEY });
      if (step === 200) rig().keys = ringOf(NEW);
      await rig().time.advance(100);
      expect(follower.status()).toMatchObject({ state: "fresh", failures: 0 });
    }
    expect(rig().outcomes.length).toBeGreaterThanOrEqual(300);
    expect(rig().outcomes.filter((outcome) => outcome !== "changed" && outcome !== "unchanged")).toEqual([]);
    expect(rig().logger.messages("warn")).toEqual([]);
    expect(follower.status().keyId).toBe("new");
  });

  test("a map of the new key is accepted as soon as the key is in the ring, with no restart", async () => {
    rig().keys = ringOf(OLD);
    rig().publisher.publish({ kid: "old" });
    const follower = rig().follow();
    await follower.sync();
    await rig().time.advance(1_000);
    rig().publisher.publish({ kid: "new", key: OTHER_KEY, connectors: ["b"] });
    await expect(follower.refresh()).rejects.toMatchObject({ rule: "unknown-key" });
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    rig().keys = ringOf(OLD, NEW);
    await rig().time.advance(TTL / 2);
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
  });
});
