import type { ConnectorSpec } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { settle } from "../../../__tests__/support/test-upstreams.js";
import { ConnectorManifestError } from "../../connector-manifest-error.js";
import type { SourceState } from "../../connector-source.js";
import { serviceMapSource } from "../service-map-source.js";
import { entryOf, payloadOf } from "./map-payload.js";
import { TestFollower } from "./test-follower.js";

/** A source over a follower in the hands of the test, and what it tells. */
function setUp(follower = new TestFollower()) {
  const logger = new RecordingLogger();
  const source = serviceMapSource({
    follower,
    policy: () => ({ mapOrigin: "https://maps.example", origins: {}, connectorsApiKey: "s3cret" }),
    logger,
  });
  const told: { specs: readonly ConnectorSpec[]; state: SourceState }[] = [];
  const start = async (): Promise<void> =>
    source.start((specs, state = {}) => {
      told.push({ specs, state });
    });
  /** What holds now, in short. */
  const now = (): unknown => {
    const { specs = [], state = {} } = told.at(-1) ?? {};
    return [specs.map(({ key }) => key), state];
  };
  return { follower, source, logger, told, start, now };
}

const FAILURE = new ConnectorManifestError("network", "connection refused", { url: "https://maps.example/s3cret" });
const FIRST = { problem: "the service map is being fetched for the first time", settling: true };

describe("the service map as a source", () => {
  test("with nothing persisted it starts at once and settles with the first answer", async () => {
    const { follower, start, now, told } = setUp();
    await start();
    expect(now()).toEqual([[], FIRST]);
    expect(follower.attempts.map(({ how }) => how)).toEqual(["forced"]);
    follower.changed({ inForce: payloadOf([entryOf("a"), entryOf("b", { status: "disabled" })]) });
    expect(now()).toEqual([["a", "b"], {}]);
    follower.attempts[0]?.end();
    await settle();
    expect(now()).toEqual([["a", "b"], {}]);
    expect(told.at(-1)?.specs).toMatchObject([
      { source: "map", disabled: false },
      { source: "map", disabled: true },
    ]);
  });

  test("a pinned map that became too old says that the pin is in the way, not that there is no newer one", async () => {
    const { follower, start, now, told } = setUp();
    await start();
    follower.pinned = "01HF7YAT00AAAAAAAAAAAAAAAA";
    follower.attempts[0]?.end();
    await settle();
    follower.changed({ expired: payloadOf([entryOf("a")]) });
    const unpin = "follow the newest again with `cortex-mcp map pin --off`";
    expect(now()).toEqual([["a"], { problem: `the pinned service map is too old to be used: ${unpin}` }]);
    expect(told.at(-1)?.specs[0]?.transport).toEqual({
      kind: "unsupported",
      reason: `the pinned service map that names it is too old to be used: ${unpin}`,
    });
  });

  test("or with the first failure, whose reason a client may read: no URL", async () => {
    const { follower, start, now, told } = setUp();
    await start();
    follower.changed({ lastFailure: FAILURE });
    expect(now()).toEqual([[], FIRST]);
    follower.attempts[0]?.end(FAILURE);
    await settle();
    expect(now()).toEqual([[], { problem: "there is no service map: connection refused" }]);
    expect(JSON.stringify(told)).not.toMatch(/s3cret|https:/);
    follower.changed({ inForce: payloadOf([entryOf("a")]), lastFailure: undefined });
    expect(now()).toEqual([["a"], {}]);
  });

  test("R4: what is persisted is told at once, and the newest fetched behind it", async () => {
    const { follower, start, now } = setUp();
    follower.persisted = payloadOf([entryOf("old")]);
    await start();
    expect(now()).toEqual([["old"], {}]);
    expect(follower.attempts.map(({ how }) => how)).toEqual(["forced"]);
    follower.changed({ inForce: payloadOf([entryOf("new")]) });
    expect(now()).toEqual([["new"], {}]);
  });

  test("R6: a failure with a map in force is a problem and changes nothing else", async () => {
    const { follower, start, now } = setUp();
    follower.persisted = payloadOf([entryOf("a")]);
    await start();
    follower.changed({ lastFailure: FAILURE });
    expect(now()).toEqual([
      ["a"],
      { problem: "the service map cannot be refreshed: connection refused; the last one stays" },
    ]);
    follower.changed({ lastFailure: undefined });
    expect(now()).toEqual([["a"], {}]);
  });

  test("R6: the connectors of a map that is too old are down with that reason, and come back with a newer one", async () => {
    const { follower, start, now, told } = setUp();
    const payload = payloadOf([entryOf("a"), entryOf("b", { status: "disabled" })]);
    follower.persisted = payload;
    await start();
    follower.changed({ inForce: undefined, expired: payload, lastFailure: FAILURE });
    expect(now()).toEqual([
      ["a", "b"],
      { problem: "the service map is too old to be used, and there is no newer one: connection refused" },
    ]);
    expect(told.at(-1)?.specs).toMatchObject([
      {
        key: "a",
        transport: {
          kind: "unsupported",
          reason: "the service map that names it is too old to be used, and there is no newer one",
        },
      },
      { key: "b", disabled: true },
    ]);
    follower.changed({ inForce: payload, expired: undefined, lastFailure: undefined });
    expect(told.at(-1)?.specs).toMatchObject([{ transport: { kind: "http" } }, {}]);
  });

  test("so they are after a restart with an old map on disk, which still waits for the first attempt", async () => {
    const { follower, start, now, told } = setUp();
    follower.expired = payloadOf([entryOf("a")]);
    await start();
    expect(now()).toEqual([["a"], FIRST]);
    expect(told.at(-1)?.specs).toMatchObject([{ transport: { kind: "unsupported" } }]);
    follower.attempts[0]?.end(FAILURE);
    await settle();
    expect(now()).toEqual([["a"], { problem: "the service map is too old to be used, and there is no newer one" }]);
  });

  test("what the policy has against a map is logged once, however often the status changes", async () => {
    const { follower, start, logger, told } = setUp();
    follower.persisted = payloadOf([entryOf("a", { headers: { Host: "x" } })]);
    await start();
    for (let change = 0; change < 3; change += 1) follower.changed();
    expect(logger.messages("warn")).toEqual(["Headers that a service map may not set were left out"]);
    expect(new Set(told.map(({ specs }) => specs)).size).toBe(1);
  });

  test("a reload asks the publisher at once, and a failure is no exception", async () => {
    const { follower, source, start, now } = setUp();
    follower.persisted = payloadOf([entryOf("a")]);
    await start();
    const reloading = source.reload();
    expect(follower.attempts.at(-1)?.how).toBe("refresh");
    follower.lastFailure = FAILURE;
    follower.attempts.at(-1)?.end(FAILURE);
    await reloading;
    expect(now()).toEqual([["a"], expect.objectContaining({ problem: expect.stringContaining("connection refused") })]);
  });
});

describe("R7: the service map on demand", () => {
  test("in the background nobody ever waits for it", async () => {
    const { follower, source, start } = setUp();
    await start();
    follower.isFresh = false;
    expect(source.freshen?.()).toBeUndefined();
  });

  test("synchronous, it is read when it is stale and somebody asks; a failure rejects nothing", async () => {
    const { follower, source, start } = setUp(new TestFollower("synchronous"));
    await start();
    expect(source.freshen?.()).toBeUndefined();
    follower.isFresh = false;
    const freshening = source.freshen?.();
    expect(follower.attempts.at(-1)?.how).toBe("sync");
    follower.attempts.at(-1)?.end(FAILURE);
    await freshening;
    await source.close();
    expect(source.freshen?.()).toBeUndefined();
  });
});

describe("closing the service map as a source", () => {
  test("stops what it follows, and nothing is told afterwards", async () => {
    const { follower, source, start, told } = setUp();
    await start();
    const { length } = told;
    await source.close();
    await source.close();
    expect([follower.stops, follower.listeners]).toEqual([2, 0]);
    follower.attempts[0]?.end(FAILURE);
    await settle();
    await source.reload();
    expect([told.length, follower.attempts.length]).toEqual([length, 1]);
  });

  test("while the persisted map is read starts nothing", async () => {
    const { follower, source, start, told } = setUp();
    let loaded = (): void => {};
    follower.loading = new Promise((resolve) => {
      loaded = resolve;
    });
    const starting = start();
    await source.close();
    loaded();
    await starting;
    expect([told, follower.attempts, follower.listeners]).toEqual([[], [], 0]);
  });
});
