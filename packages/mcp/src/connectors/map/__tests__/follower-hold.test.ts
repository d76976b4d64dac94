import { describe, expect, test, vi } from "vitest";
import type { ServiceMapFollower } from "../service-map-follower.js";
import { DAY, idsOf, TTL, useRig } from "./follower-set-up.js";

const rig = useRig();
const FIVE = ["a", "b", "c", "d", "e"];

/** Five connectors in force, and a map of two held. */
async function holding(): Promise<ServiceMapFollower> {
  const follower = await rig().following(FIVE);
  await rig().time.advance(1_000);
  rig().publisher.publish({ connectors: ["a", "b"] });
  await follower.refresh();
  return follower;
}

/** Three maps, one after the other: a, then a and b, then c. */
async function three(): Promise<{ follower: ServiceMapFollower; ids: string[] }> {
  const follower = await rig().following(["a"]);
  const ids = [follower.inForce?.id ?? ""];
  for (const connectors of [["a", "b"], ["c"]]) {
    await rig().time.advance(1_000);
    rig().publisher.publish({ connectors });
    await follower.refresh();
    ids.push(follower.inForce?.id ?? "");
  }
  return { follower, ids };
}

describe("a map that removes most connectors (R6: hold)", () => {
  test("is held, with a warning that names them, and the one in force goes on", async () => {
    const follower = await holding();
    expect(idsOf(follower.inForce)).toEqual(FIVE);
    expect(rig().outcomes).toEqual(["changed", "held"]);
    expect(follower.status().held).toEqual({
      id: follower.known[0]?.id,
      generatedAt: "2023-11-14T22:13:21.000Z",
      removed: ["c", "d", "e"],
      reason: expect.stringContaining("removes or disables 3 connectors"),
    });
    expect(rig().logger.lines.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        message: expect.stringContaining("The new service map is held"),
        fields: expect.objectContaining({ removed: ["c", "d", "e"], mapId: follower.known[0]?.id }),
      },
    ]);
    expect(follower.known.map(({ role, connectors }) => [role, connectors])).toEqual([
      ["held", 2],
      ["accepted", 5],
    ]);
    expect(follower.diff).toMatchObject({ removed: ["c", "d", "e"], unchanged: 2 });
  });

  test("signed anew is still held, and warned of once; the answer counts as fresh", async () => {
    const follower = await holding();
    await rig().time.advance(TTL);
    rig().publisher.publish({ connectors: ["a", "b"] });
    await follower.sync();
    expect(rig().outcomes.at(-1)).toBe("held");
    expect(follower.isFresh).toBe(true);
    expect(rig().logger.messages("warn")).toHaveLength(1);
    await follower.sync(true);
    expect(rig().outcomes.at(-1)).toBe("held");
  });

  test("is held across a restart, and the publisher need not send it again", async () => {
    await (await holding()).stop();
    const follower = rig().follow();
    await follower.load();
    expect(idsOf(follower.inForce)).toEqual(FIVE);
    expect(follower.status().held?.removed).toEqual(["c", "d", "e"]);
    await follower.sync();
    expect(rig().outcomes.at(-1)).toBe("held");
  });

  test("is forgotten when a map comes that is no such map", async () => {
    const follower = await holding();
    await rig().time.advance(1_000);
    rig().publisher.publish({ connectors: ["a", "b", "c"] });
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["a", "b", "c"]);
    expect(follower.status().held).toBeUndefined();
  });

  test("accept puts it in force and raises the floor; the one before it can be rolled back to", async () => {
    const follower = await holding();
    const five = rig().publisher;
    const heard = vi.fn<() => void>();
    follower.subscribe(heard);
    const { id } = await follower.operate({ kind: "accept" });
    expect(heard).toHaveBeenCalledTimes(1);
    expect(idsOf(follower.inForce)).toEqual(["a", "b"]);
    expect(follower.inForce?.id).toBe(id);
    expect(follower.status().held).toBeUndefined();
    expect((await rig().store.load())?.floor?.id).toBe(id);
    expect(follower.diff).toMatchObject({ removed: ["c", "d", "e"] });
    five.publish({ connectors: FIVE, atMs: rig().time.now() - 500 });
    await expect(follower.refresh()).rejects.toMatchObject({ rule: "older" });
    await follower.operate({ kind: "rollback" });
    expect(idsOf(follower.inForce)).toEqual(FIVE);
  });

  test("goes ahead where holding is off", async () => {
    const follower = await rig().following(FIVE, { holdRemovals: false });
    rig().publisher.publish({ connectors: [], atMs: rig().time.now() + 1 });
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual([]);
  });

  test("goes ahead when the map in force is too old to be served: there is nothing left to lose", async () => {
    const follower = await rig().following(FIVE, { maxStaleMs: TTL });
    rig().publisher.trouble = "down";
    await rig().time.advance(2 * TTL);
    rig().publisher.trouble = "none";
    rig().publisher.publish({ connectors: ["z"] });
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["z"]);
  });
});

describe("pin, rollback, unpin (R6)", () => {
  test("rollback puts the map before in force and keeps it, while newer ones are verified and raise the floor", async () => {
    const { follower, ids } = await three();
    const { id } = await follower.operate({ kind: "rollback" });
    expect(id).toBe(ids[1]);
    expect(idsOf(follower.inForce)).toEqual(["a", "b"]);
    await rig().time.advance(1_000);
    rig().publisher.publish({ connectors: ["d"] });
    await follower.refresh();
    expect(rig().outcomes.at(-1)).toBe("changed");
    expect(idsOf(follower.inForce)).toEqual(["a", "b"]);
    expect(follower.status()).toMatchObject({ pinned: ids[1], id: ids[1] });
    expect(follower.known.map(({ role, pinned }) => `${role}${pinned ? " pinned" : ""}`)).toEqual([
      "accepted",
      "previous",
      "previous pinned",
      "previous",
    ]);
    expect(follower.diff).toMatchObject({ from: { id: ids[1] }, added: ["d"], removed: ["a", "b"] });
    expect((await rig().store.load())?.floor?.generatedAtMs).toBe(rig().time.now());
    await follower.operate({ kind: "unpin" });
    expect(idsOf(follower.inForce)).toEqual(["d"]);
    expect(follower.status().pinned).toBeUndefined();
  });

  test("pin keeps the map in force whatever comes, also across a restart", async () => {
    const { follower, ids } = await three();
    await follower.operate({ kind: "pin" });
    rig().publisher.publish({ connectors: ["d"], atMs: rig().time.now() + 1 });
    await follower.refresh();
    await follower.stop();
    const again = rig().follow();
    await again.load();
    expect(again.inForce?.id).toBe(ids[2]);
    await again.operate({ kind: "pin", id: ids[0] ?? "" });
    expect(idsOf(again.inForce)).toEqual(["a"]);
  });

  test("a pinned map is served within maxStale, and no longer; unpinning serves the newest", async () => {
    const follower = await rig().following(["a"], { maxStaleMs: DAY });
    await follower.operate({ kind: "pin" });
    await rig().time.advance(1_000);
    rig().publisher.publish({ connectors: ["b"] });
    await follower.refresh();
    await rig().time.advance(DAY - 1_000);
    expect(follower.status().state).toBe("stale");
    rig().publisher.publish({ connectors: ["b"] });
    await follower.refresh();
    await rig().time.advance(TTL - 1);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    await rig().time.advance(1);
    expect(follower.status()).toMatchObject({ state: "expired", pinned: follower.expired?.id });
    expect(rig().logger.messages("error")).toEqual([
      "The pinned service map is too old to be served: its connectors go down until `cortex-mcp map pin --off` follows the newest again",
    ]);
    await expect(follower.operate({ kind: "pin" })).rejects.toThrow("is too old to be served: pinned, it would take");
    rig().publisher.publish({ connectors: ["b"] });
    await follower.refresh();
    expect(follower.isFresh).toBe(false);
    rig().publisher.requests = 0;
    await expect(follower.sync()).rejects.toMatchObject({
      rule: "expired",
      message: expect.stringMatching(
        /: the pinned service map is too old to be served \(rule: expired\)\. .*map pin --off`\.$/,
      ),
    });
    expect(rig().publisher.requests).toBe(0);
    await follower.operate({ kind: "unpin" });
    await follower.sync();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
  });

  test("in synchronous mode listeners hear that a pinned map became too old, and nothing is fetched for it", async () => {
    const flags = { asyncRefresh: false, refreshIntervalMs: TTL };
    const follower = await rig().following(["a"], { maxStaleMs: TTL, flags });
    await follower.operate({ kind: "pin" });
    await rig().time.advance(2 * TTL - 1);
    rig().publisher.publish({ connectors: ["b"], ttlSeconds: 3_600 });
    await follower.sync();
    expect(follower.isFresh).toBe(true);
    const heard = vi.fn<() => void>();
    follower.subscribe(heard);
    rig().publisher.requests = 0;
    await rig().time.advance(1);
    expect(heard).toHaveBeenCalledTimes(1);
    await expect(follower.sync()).rejects.toMatchObject({ rule: "expired" });
    await expect(follower.sync()).rejects.toMatchObject({ rule: "expired" });
    expect(heard).toHaveBeenCalledTimes(1);
    expect(rig().publisher.requests).toBe(0);
  });

  test("what cannot be done is refused with what there is, and changes nothing", async () => {
    const follower = await rig().following(["a"]);
    await expect(follower.operate({ kind: "accept" })).rejects.toMatchObject({ code: "USER_INPUT" });
    await expect(follower.operate({ kind: "rollback" })).rejects.toMatchObject({ code: "USER_INPUT" });
    await expect(follower.operate({ kind: "unpin" })).rejects.toMatchObject({ code: "USER_INPUT" });
    await expect(follower.operate({ kind: "pin", id: "x" })).rejects.toThrow(follower.inForce?.id ?? "no id");
    expect(idsOf(follower.inForce)).toEqual(["a"]);
  });

  test("what cannot be stored is not done", async () => {
    const { follower } = await three();
    vi.spyOn(rig().store, "update").mockRejectedValue(new Error("no space left on the device"));
    await expect(follower.operate({ kind: "rollback" })).rejects.toThrow("no space");
    expect(idsOf(follower.inForce)).toEqual(["c"]);
  });
});
