import { afterEach, describe, expect, test, vi } from "vitest";
import { loadConnectorServiceMap } from "../../service-map.js";
import { idsOf, TTL, useRig } from "./follower-set-up.js";
import { entryOf, payloadOf } from "./map-payload.js";

vi.mock("../../service-map.js", () => ({ loadConnectorServiceMap: vi.fn<typeof loadConnectorServiceMap>() }));

const rig = useRig();
const loader = vi.mocked(loadConnectorServiceMap);
const NAMED = (...ids: string[]): ReturnType<typeof payloadOf> => payloadOf(ids.map((id) => entryOf(id)));

afterEach(() => {
  loader.mockReset();
});

/** The loader gives what the plan's does, and no more. */
const loads = (...ids: string[]): void => {
  loader.mockImplementation(async () => ({ payload: NAMED(...ids), expiresAtMs: rig().time.now() + TTL }));
};

describe("with a loader that a test put in place (R6)", () => {
  test("serves what it gives, and stores none of it", async () => {
    loads("a");
    const follower = rig().follow();
    await follower.sync();
    await follower.sync();
    expect(loader).toHaveBeenCalledTimes(1);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(await rig().store.load()).toBeUndefined();
    expect(follower.known).toEqual([]);
    expect(follower.status()).toMatchObject({
      state: "fresh",
      connectors: 1,
      lastSuccessAt: "2023-11-14T22:13:20.000Z",
    });
  });

  test("asks anew at the very end of the time to live, also by a monotonic clock that goes on while we look", async () => {
    loads("a");
    let elapsedMs = 0;
    const follower = rig().follow({ monotonic: { elapsedMs: () => (elapsedMs += 0.01) } });
    await follower.sync();
    rig().time.jump(TTL);
    expect(follower.isFresh).toBe(false);
    await follower.sync();
    expect(loader).toHaveBeenCalledTimes(2);
  });

  test("1,000 concurrent sync() call it once", async () => {
    loads("a");
    const follower = rig().follow();
    await Promise.all(Array.from({ length: 1_000 }, async () => follower.sync(true)));
    expect(loader).toHaveBeenCalledTimes(1);
  });

  test("stale-on-error works, with whatever it throws", async () => {
    loads("a");
    const follower = rig().follow({ maxStaleMs: TTL });
    await follower.sync();
    loader.mockRejectedValue(new Error("out of order"));
    await rig().time.advance(TTL);
    await follower.sync();
    expect(follower.status()).toMatchObject({ state: "stale", lastError: expect.stringContaining("out of order") });
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    await rig().time.advance(TTL);
    expect(follower.inForce).toBeUndefined();
  });

  test("with nothing to serve what it throws becomes a ConnectorManifestError, its own ones pass", async () => {
    loader.mockRejectedValue("text");
    const follower = rig().follow();
    await expect(follower.sync()).rejects.toMatchObject({
      name: "ConnectorManifestError",
      rule: "no-map",
      cause: "text",
    });
  });

  test("one that never answers holds up neither a later attempt nor a stop", async () => {
    loader.mockImplementation(async () => new Promise(() => {}));
    const follower = rig().follow({ flags: { asyncRefresh: false, refreshIntervalMs: TTL }, timeoutMs: 1_000 });
    const first = expect(follower.sync()).rejects.toMatchObject({ rule: "timeout" });
    await rig().time.advance(TTL);
    await first;
    expect(rig().outcomes).toEqual(["unreachable"]);
    const second = expect(follower.sync()).rejects.toMatchObject({ rule: "aborted" });
    await vi.waitFor(() => {
      expect(loader).toHaveBeenCalledTimes(2);
    });
    await follower.stop();
    await second;
    expect(rig().time.pending).toBe(0);
  });

  test.each([
    undefined,
    null,
    {},
    "map",
    { payload: {}, expiresAtMs: 1 },
    { payload: NAMED("a"), expiresAtMs: Number.NaN },
  ])("what is no service map (%j) is refused, and nothing of it is served", async (nonsense) => {
    // As a test in JavaScript may: no loader of that type gives it.
    loader.mockImplementation(async () => JSON.parse(JSON.stringify(nonsense ?? null)));
    const follower = rig().follow();
    await expect(follower.sync()).rejects.toMatchObject({ name: "ConnectorManifestError", rule: "no-map" });
    expect(follower.status()).toMatchObject({ state: "none", failures: 1 });
  });

  test("with a URL that is none its words are not shown, because nobody can tell what is secret in them", async () => {
    loader.mockRejectedValue(new Error("a secret"));
    const error: unknown = await rig()
      .follow({ serviceMapUrl: "maps" })
      .sync()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ rule: "no-map", message: expect.not.stringContaining("a secret") });
  });

  test("a map that has expired already is served as a stale one, and asked for anew", async () => {
    loader.mockImplementation(async () => ({ payload: NAMED("a"), expiresAtMs: 0 }));
    const follower = rig().follow();
    await follower.sync();
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(follower.isFresh).toBe(false);
    await follower.sync();
    expect(loader).toHaveBeenCalledTimes(2);
  });

  test("the same payload again is no change; an odd time in it harms nothing", async () => {
    const payload = payloadOf([], { generatedAt: "yesterday" });
    loader.mockImplementation(async () => ({ payload, expiresAtMs: Number.POSITIVE_INFINITY }));
    const follower = rig().follow();
    await follower.sync();
    await follower.sync(true);
    expect(rig().outcomes).toEqual(["changed", "unchanged"]);
    const { ageSeconds, expiresAt } = follower.status();
    expect([ageSeconds, expiresAt]).toEqual([undefined, undefined]);
  });
});
