import { writeFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { fileServiceMapStore } from "../service-map-store.js";
import { NO_SERVICE_MAPS, type StoredServiceMaps } from "../stored-service-maps.js";
import { idsOf, INTERVAL, TTL, useRig } from "./follower-set-up.js";
import { signedBody, START } from "./map-set-up.js";
import { useTempFolder } from "./temp-folder.js";

const at = useTempFolder();
const rig = useRig();
const REPLAYS = 10_000;
const RESTARTS = 100;

describe("never an older map (R2; reliability.md, 5.2)", () => {
  test(
    `${REPLAYS} replays of older valid maps over ${RESTARTS} restarts: 0 accepted`,
    { timeout: 120_000 },
    async () => {
      const old = Array.from({ length: REPLAYS / RESTARTS }, (_, index) =>
        signedBody({ connectors: ["old"], atMs: START - 1 - index * 1_000 }),
      );
      rig().store = fileServiceMapStore({ file: at("service-map.json"), logger: rig().logger, clock: rig().time });
      await (await rig().following(["new"])).stop();
      let accepted = 0;
      for (let restart = 0; restart < RESTARTS; restart++) {
        const follower = rig().follow();
        for (const body of old) {
          rig().publisher.body = body;
          const [end] = await Promise.allSettled([follower.refresh()]);
          if (end.status === "fulfilled" || idsOf(follower.inForce)?.[0] !== "new") accepted++;
        }
        await follower.stop();
      }
      expect(accepted).toBe(0);
      expect(rig().outcomes.filter((outcome) => outcome === "refused")).toHaveLength(REPLAYS);
    },
  );

  test("the same id and time with other bytes is a conflict; the last good map stays", async () => {
    const follower = await rig().following(["a"]);
    const { id = "" } = follower.inForce ?? {};
    rig().publisher.publish({ id, connectors: ["b"] });
    await expect(follower.refresh()).rejects.toMatchObject({ rule: "conflict" });
    expect(idsOf(follower.inForce)).toEqual(["a"]);
  });

  test("an older map under the newest one's ETag is no freeze: the next fetch asks for the whole map again", async () => {
    const follower = await rig().following(["a"]);
    const { publisher } = rig();
    const older = signedBody({ atMs: START - 1_000, connectors: ["old"] });
    publisher.publish({ connectors: ["b"], atMs: START + 1 });
    const newest = publisher.body;
    publisher.bodyUnderItsETag = older;
    await expect(follower.refresh()).rejects.toMatchObject({ rule: "older" });
    publisher.bodyUnderItsETag = undefined;
    publisher.body = newest;
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
  });

  test("the floor is stored before the map is used: what cannot be stored is not in force", async () => {
    const follower = await rig().following(["a"]);
    const { update } = rig().store;
    const inForceDuringUpdate: unknown[] = [];
    vi.spyOn(rig().store, "update").mockImplementation(async (change) => {
      const state = await update(change);
      inForceDuringUpdate.push(idsOf(follower.inForce));
      return state;
    });
    rig().publisher.publish({ connectors: ["b"], atMs: START + 1 });
    await follower.refresh();
    expect(inForceDuringUpdate).toEqual([["a"]]);
    expect(idsOf(follower.inForce)).toEqual(["b"]);
    expect((await rig().store.load())?.floor?.generatedAtMs).toBe(START + 1);
  });

  test("with a disk that is full the new map is not used, the last good one stays, and it is tried again", async () => {
    const follower = await rig().following(["a"]);
    const full = vi.spyOn(rig().store, "update").mockRejectedValue(new Error("no space left on the device"));
    rig().publisher.publish({ connectors: ["b"], atMs: START + 1 });
    await expect(follower.refresh()).rejects.toMatchObject({
      rule: "state",
      message: expect.stringContaining("no space"),
    });
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(rig().logger.messages("error")).toEqual([
      "The service map cannot be stored, so it is not used; the last good one stays",
    ]);
    expect(follower.status()).toMatchObject({ failures: 1, lastError: expect.stringContaining("could not be stored") });
    full.mockRestore();
    await follower.refresh();
    expect(idsOf(follower.inForce)).toEqual(["b"]);
    expect(rig().outcomes).toEqual(["changed", "refused", "changed"]);
  });

  test("with a state folder that cannot be made no map is used at all, and the error says where", async () => {
    await writeFile(at("state"), "");
    rig().store = fileServiceMapStore({ file: at("state", "map.json"), logger: rig().logger, clock: rig().time });
    rig().publisher.publish();
    const follower = rig().follow();
    await expect(follower.sync()).rejects.toMatchObject({
      rule: "state",
      detail: expect.stringContaining(at("state")),
    });
    expect(follower.inForce).toBeUndefined();
  });

  test("a map that we have already is confirmed without touching the disk", async () => {
    const follower = await rig().following(["a"]);
    const update = vi.spyOn(rig().store, "update");
    await follower.refresh();
    expect(update).not.toHaveBeenCalled();
    expect(rig().outcomes).toEqual(["changed", "unchanged"]);
  });

  test("what another process accepted meanwhile counts: an older map than that is refused", async () => {
    const [one, other] = [await rig().following(["a"]), rig().follow()];
    rig().publisher.publish({ connectors: ["c"], atMs: START + 2 });
    await other.sync();
    rig().publisher.publish({ connectors: ["b"], atMs: START + 1 });
    await expect(one.refresh()).rejects.toMatchObject({ rule: "older" });
    expect(idsOf(one.inForce)).toEqual(["c"]);
    expect((await rig().store.load())?.floor?.generatedAtMs).toBe(START + 2);
  });

  test("a store that lost everything lowers nothing while the process lives", async () => {
    const follower = await rig().following(["a"]);
    vi.spyOn(rig().store, "update").mockImplementation(async (change) => change(undefined));
    rig().publisher.publish({ connectors: ["b"], atMs: START - 1 });
    await expect(follower.refresh()).rejects.toMatchObject({ rule: "older" });
    rig().publisher.publish({ connectors: ["b"], atMs: START + 1 });
    await follower.refresh();
    expect(follower.known.map(({ role }) => role)).toEqual(["accepted", "previous"]);
  });

  test("survives pin and rollback; reset-floor lets older maps in again and is logged as a warning", async () => {
    const follower = await rig().following(["a"]);
    const first = rig().publisher.body;
    rig().publisher.publish({ connectors: ["b"], atMs: START + 1 });
    await follower.refresh();
    await follower.operate({ kind: "rollback" });
    rig().publisher.body = first;
    await expect(follower.refresh()).rejects.toMatchObject({ rule: "older" });
    await follower.operate({ kind: "unpin" });
    await expect(follower.refresh()).rejects.toMatchObject({ rule: "older" });
    await follower.operate({ kind: "reset-floor" });
    expect(follower.isFresh).toBe(false);
    expect(rig().logger.lines.at(-1)).toMatchObject({ level: "warn", fields: { operation: "reset-floor" } });
    await follower.sync();
    expect(idsOf(follower.inForce)).toEqual(["a"]);
  });
});

describe("after reset-floor the publisher is asked at once (R6)", () => {
  test.each([{ asyncRefresh: true }, { asyncRefresh: false }])(
    "with %j, also while the circuit is open",
    async ({ asyncRefresh }) => {
      const flags = { asyncRefresh, refreshIntervalMs: TTL };
      const follower = await rig().following(["far"], { flags });
      rig().publisher.trouble = "down";
      for (let count = 0; count < 3; count++) await follower.sync(true);
      expect(follower.status().circuit).toBe("open");
      rig().publisher.trouble = "none";
      rig().publisher.publish({ connectors: ["a"], atMs: START - 1 });
      rig().publisher.requests = 0;
      await follower.operate({ kind: "reset-floor" });
      await rig().time.advance(0);
      expect(rig().publisher.requests).toBe(1);
      expect(idsOf(follower.inForce)).toEqual(["a"]);
    },
  );

  test("also when the attempt on its way is a scheduled one, which goes well", async () => {
    const follower = await rig().following(["a"]);
    const { publisher, time } = rig();
    publisher.publish({ connectors: ["far"], atMs: time.now() + 59_000 });
    await follower.refresh();
    const answer = publisher.holdAnswers();
    await time.advance(INTERVAL);
    publisher.publish({ connectors: ["b"], atMs: START + 10_000 });
    const operated = follower.operate({ kind: "reset-floor" });
    await time.advance(0);
    await operated;
    const asked = publisher.requests;
    answer();
    await time.advance(0);
    await time.advance(0);
    expect(publisher.requests).toBe(asked + 1);
    expect(idsOf(follower.inForce)).toEqual(["b"]);
  });

  test("once an attempt has ended that was on its way already; one that fails, or is stopped, harms nothing", async () => {
    const follower = await rig().following(["a"], { flags: { asyncRefresh: false, refreshIntervalMs: TTL } });
    rig().publisher.trouble = "hangs";
    const underWay = follower.sync(true);
    await rig().time.advance(0);
    rig().publisher.requests = 0;
    await follower.operate({ kind: "reset-floor" });
    expect(rig().publisher.requests).toBe(0);
    await rig().time.advance(5_000);
    await underWay;
    await rig().time.advance(0);
    expect(rig().publisher.requests).toBe(1);
    await follower.operate({ kind: "reset-floor" });
    await follower.stop();
    expect(rig().publisher.requests).toBe(1);
  });
});

describe("a restart (R4, R6)", () => {
  test("serves the last verified map at once, and fetches behind it", async () => {
    await (await rig().following(["a"])).stop();
    const follower = rig().follow();
    expect(follower.inForce).toBeUndefined();
    await follower.load();
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(follower.isFresh).toBe(false);
    await follower.sync();
    expect(rig().outcomes).toEqual(["changed", "unchanged"]);
    expect(follower.isFresh).toBe(true);
  });

  test("stores the body as it was received, to the byte, with its ETag", async () => {
    await rig().following(["a"]);
    expect((await rig().store.load())?.accepted).toEqual({
      body: rig().publisher.body,
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
      receivedAtMs: START,
    });
  });

  test("during an outage still serves, until maxStale is over", async () => {
    await (await rig().following(["a"], { maxStaleMs: TTL })).stop();
    rig().publisher.trouble = "down";
    await rig().time.advance(2 * TTL - 1);
    const late = rig().follow({ maxStaleMs: TTL });
    await late.sync();
    expect(late.status().state).toBe("stale");
    await late.stop();
    await rig().time.advance(1);
    const tooLate = rig().follow({ maxStaleMs: TTL });
    await expect(tooLate.sync()).rejects.toMatchObject({ rule: "network" });
    expect(tooLate.status()).toMatchObject({ state: "expired", id: late.inForce?.id ?? expect.any(String) });
    expect(idsOf(tooLate.expired)).toEqual(["a"]);
  });

  test("with a wall clock set back meanwhile counts from when it was saved", async () => {
    await (await rig().following(["a"])).stop();
    rig().time.jump(-3 * TTL);
    const follower = rig().follow();
    await follower.load();
    expect(follower.status()).toMatchObject({ state: "fresh", ageSeconds: 0 });
    await rig().time.advance(TTL);
    expect(follower.status().state).toBe("stale");
  });

  test("drops and logs what no key vouches for, and fetches anew; the floor stays", async () => {
    await (await rig().following(["a"])).stop();
    const damaged = await rig().store.load();
    await rig().store.update((): StoredServiceMaps => ({
      ...NO_SERVICE_MAPS,
      ...damaged,
      accepted: { body: "{}", receivedAtMs: 0 },
    }));
    const follower = rig().follow();
    await follower.load();
    expect(follower.inForce).toBeUndefined();
    expect(rig().logger.messages("warn")).toContain("A stored service map is dropped");
    const good = rig().publisher.body;
    rig().publisher.publish({ connectors: ["old"], atMs: START - 1 });
    await expect(follower.sync()).rejects.toMatchObject({ rule: "older" });
    rig().publisher.body = good;
    await follower.sync();
    expect(idsOf(follower.inForce)).toEqual(["a"]);
  });

  test.each([
    ["the store cannot be read", "The stored service map cannot be read"],
    ["the keys cannot be read", "The stored service map cannot be verified"],
  ])("where %s says so, serves nothing of it and never rejects", async (which, message) => {
    await (await rig().following(["a"])).stop();
    const fails = async (): Promise<never> => {
      throw new Error("not now");
    };
    if (which.startsWith("the store")) vi.spyOn(rig().store, "load").mockImplementation(fails);
    const follower = rig().follow(which.startsWith("the keys") ? { keys: fails } : {});
    await follower.load();
    await follower.load();
    expect(rig().logger.messages("error")).toEqual([message]);
    expect(follower.inForce).toBeUndefined();
  });
});
