import { writeFile } from "node:fs/promises";
import {
  generateKeySet,
  keyRingSource,
  serveServiceMap,
  signingKeyFromJwks,
  type SigningKey,
  type ServedServiceMap,
} from "@cortex-os/protocol";
import { systemClock, systemMonotonic, systemRandom, systemTimers } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startServer } from "../../../__tests__/support/http.js";
import { fileServiceMapStore } from "../service-map-store.js";
import { ServiceMapFollower, type FetchOutcome, type ServiceMapFollowerOptions } from "../service-map-follower.js";
import { idsOf } from "./follower-set-up.js";
import { KEY, ring, signedBody } from "./map-set-up.js";
import { entryOf } from "./map-payload.js";
import { useTempFolder } from "./temp-folder.js";

const at = useTempFolder();
const logger = (): RecordingLogger => new RecordingLogger();

/** A follower through real sockets, files and timers, stopped with its agent at the end of the test. */
function follow(changes: Partial<ServiceMapFollowerOptions> & { readonly serviceMapUrl: string }): ServiceMapFollower {
  const agent = new Agent();
  const follower = new ServiceMapFollower({
    keys: async () => ring(),
    flags: { asyncRefresh: false, refreshIntervalMs: 300_000 },
    ...{
      agent,
      logger: logger(),
      clock: systemClock,
      monotonic: systemMonotonic,
      timers: systemTimers,
      random: systemRandom,
    },
    ...changes,
  });
  onTestFinished(async () => {
    await follower.stop();
    await agent.close();
  });
  return follower;
}

async function publish(connectors: readonly string[], key: () => SigningKey, port = 0): Promise<ServedServiceMap> {
  const manifestFile = at("manifest.json");
  await writeManifest(connectors);
  const served = await serveServiceMap({
    manifestFile,
    key,
    port,
    logger: logger(),
    clock: systemClock,
    timers: systemTimers,
  });
  onTestFinished(() => served.close());
  return served;
}

const writeManifest = async (connectors: readonly string[]): Promise<void> =>
  writeFile(
    at("manifest.json"),
    JSON.stringify({ brand: "brAInwav", connectors: connectors.map((id) => entryOf(id)) }),
  );

describe("against a real publisher", () => {
  test("1,000 concurrent sync() are one request at the server (R6)", async () => {
    let requests = 0;
    const body = signedBody({ atMs: systemClock.now() });
    const { port } = await startServer((_request, response) => {
      requests += 1;
      response.end(body);
    });
    const follower = follow({ serviceMapUrl: `http://127.0.0.1:${port}/map` });
    await Promise.all(Array.from({ length: 1_000 }, async (_, count) => follower.sync(count % 2 === 0)));
    expect(requests).toBe(1);
    expect(idsOf(follower.inForce)).toEqual(["a"]);
  });

  test(
    "keys rotate while it refreshes every 100 ms: 0 failed refreshes, no restart (R2)",
    { timeout: 60_000 },
    async () => {
      const [old, young] = [generateKeySet({ kind: "ed25519" }), generateKeySet({ kind: "ed25519" })];
      const file = at("keys.json");
      const inRing = async (...sets: readonly (typeof old)[]): Promise<void> => {
        await writeFile(file, JSON.stringify({ keys: sets.flatMap(({ publicJwks }) => publicJwks.keys) }));
      };
      await inRing(old);
      let signing = signingKeyFromJwks(old.privateJwks);
      const publisher = await publish(["a"], () => signing);
      const keyRing = keyRingSource({ file, logger: logger() });
      const outcomes: FetchOutcome[] = [];
      const follower = follow({
        serviceMapUrl: publisher.url,
        keys: () => keyRing.load(),
        flags: { asyncRefresh: true, refreshIntervalMs: 100 },
        store: fileServiceMapStore({ file: at("state", "service-map.json"), logger: logger(), clock: systemClock }),
        onFetch: (outcome) => outcomes.push(outcome),
      });
      await follower.sync();
      const refreshes = async (count: number): Promise<void> => {
        const from = outcomes.length;
        await vi.waitFor(() => {
          expect(outcomes.length).toBeGreaterThanOrEqual(from + count);
        }, 20_000);
      };
      await refreshes(5);
      await inRing(old, young);
      await refreshes(5);
      signing = signingKeyFromJwks(young.privateJwks);
      await publisher.reload();
      await vi.waitFor(() => {
        expect(follower.status().keyId).toBe(signing.kid);
      }, 20_000);
      await refreshes(5);
      await inRing(young);
      await refreshes(5);
      expect(outcomes.filter((outcome) => outcome !== "changed" && outcome !== "unchanged")).toEqual([]);
      expect(follower.status()).toMatchObject({ state: "fresh", failures: 0, keyId: signing.kid });
    },
  );

  test("the publisher stops: the map is served also across a restart; it comes back with another one, which is taken", async () => {
    const publisher = await publish(["a", "b", "c"], () => ({ key: KEY }));
    const { url: serviceMapUrl, port } = publisher;
    const store = fileServiceMapStore({ file: at("state", "service-map.json"), logger: logger(), clock: systemClock });
    const first = follow({ serviceMapUrl, store });
    await first.sync();
    await publisher.close();
    await first.sync(true);
    expect(first.status()).toMatchObject({
      state: "fresh",
      lastError: expect.stringMatching(/rule: network\).*[^.]$/),
    });
    await first.stop();
    const second = follow({ serviceMapUrl, store });
    await second.load();
    expect(idsOf(second.inForce)).toEqual(["a", "b", "c"]);
    await second.sync();
    expect(second.status().failures).toBe(1);
    await publish(["a", "c", "d"], () => ({ key: KEY }), port);
    await second.refresh();
    expect(idsOf(second.inForce)).toEqual(["a", "c", "d"]);
    expect(second.diff).toMatchObject({ added: ["d"], removed: ["b"], unchanged: 2 });
  });
});
