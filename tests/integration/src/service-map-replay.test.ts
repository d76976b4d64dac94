import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileServiceMapStore, ServiceMapFollower, type FetchOutcome } from "@cortex-os/mcp";
import {
  silentLogger,
  systemClock,
  systemMonotonic,
  systemRandom,
  systemTimers,
  type RandomSource,
} from "@cortex-os/mcp-core";
import { KeyRing } from "@cortex-os/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startGateway } from "./support/gateway-process.js";
import { switchedPublisher } from "./support/map-publishers.js";
import { connector, mapId, mapText, SIGNATURE_KEY } from "./support/map-text.js";
import { programHome } from "./support/program-home.js";
import { seededRandom } from "./support/seeded-random.js";

const WAIT = { timeout: 15_000, interval: 20 };
const RESTARTS = 100;
const REPLAYS_EACH = 100;
/** A newer map comes with each so many restarts, so that the floor moves and maps that were once in force are replayed. */
const NEWER_EACH = 10;
/** Old maps are still within their time to live: nothing but their age speaks against them. */
const TTL_SECONDS = 86_400;

describe("R2: an older map than the newest accepted is refused for ever", () => {
  test("10,000 replays over 100 restarts with the same folder: none is accepted", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cortex-replay-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    let published = "";
    const keys = KeyRing.fromSecret(SIGNATURE_KEY);
    const outcomes: Record<FetchOutcome, number> = { changed: 0, unchanged: 0, held: 0, refused: 0, unreachable: 0 };
    const startedAtMs = Date.now() - 3_600_000;
    const random = seededRandom(1);
    const accepted: string[] = [];
    const reasons = new Map<string, number>();
    for (let restart = 0; restart < RESTARTS; restart++) {
      const follower = new ServiceMapFollower({
        ...{ serviceMapUrl: "https://publisher.example/map", logger: silentLogger, keys: async () => keys },
        fetchImpl: async () => new Response(published),
        ...{ clock: systemClock, monotonic: systemMonotonic, timers: systemTimers, random: systemRandom },
        flags: { asyncRefresh: false, refreshIntervalMs: 300_000 },
        store: fileServiceMapStore({
          file: join(folder, "state", "service-map.json"),
          logger: silentLogger,
          clock: systemClock,
        }),
        onFetch: (outcome) => {
          outcomes[outcome] += 1;
        },
      });
      await follower.load();
      expect(follower.inForce?.id).toBe(restart === 0 ? undefined : mapId(accepted.length));
      if (restart % NEWER_EACH === 0) {
        const newer = { id: mapId(accepted.length + 1), madeAtMs: startedAtMs + restart * 1_000 };
        const text = mapText([], { ...newer, ttlSeconds: TTL_SECONDS });
        published = text;
        await follower.refresh();
        accepted.push(text);
      }
      for (let replay = 0; replay < REPLAYS_EACH; replay++) {
        published = replayOf(accepted, startedAtMs, random);
        const error: unknown = await follower.refresh().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        const rule = error instanceof Error && "rule" in error ? String(error.rule) : "accepted";
        reasons.set(rule, (reasons.get(rule) ?? 0) + 1);
        if (follower.inForce?.id !== mapId(accepted.length)) throw new Error(`in force is ${follower.inForce?.id}`);
      }
      await follower.stop();
    }
    expect(Object.fromEntries(reasons)).toEqual({ older: RESTARTS * REPLAYS_EACH });
    expect(outcomes).toEqual({
      ...{ changed: accepted.length, unchanged: 0, held: 0, unreachable: 0 },
      refused: RESTARTS * REPLAYS_EACH,
    });
    process.stdout.write(
      `replays: ${outcomes.refused} over ${RESTARTS} restarts and ${accepted.length} newer maps, 0 accepted\n`,
    );
  }, 120_000);

  test("nor by a gateway that is killed or stopped five times while its publisher replays", async () => {
    const publisher = await switchedPublisher();
    const home = await programHome({ ...publisher.env, MCP_CONNECTOR_REFRESH_INTERVAL_MS: "3600000" });
    const connectors = [connector("docs", "http://127.0.0.1:1/mcp")];
    const madeAtMs = Date.now();
    const older = (n: number): string => mapText(connectors, { id: mapId(n), madeAtMs: madeAtMs - 1_000 + n });
    publisher.send(older(0));
    const first = await startGateway(home);
    await vi.waitFor(async () => expect((await first.map()).id).toBe(mapId(0)), WAIT);
    publisher.send(mapText(connectors, { id: mapId(900), madeAtMs }));
    await vi.waitFor(async () => expect((await first.reloadMap()).id).toBe(mapId(900)), WAIT);
    await first.stop("SIGKILL");
    let refused = 0;
    for (let restart = 0; restart < 5; restart++) {
      publisher.send(older(restart));
      const gateway = await startGateway(home);
      for (let replay = 0; replay < 20; replay++) {
        publisher.send(older(restart * 20 + replay));
        const { id, lastError } = await gateway.reloadMap();
        expect([id, lastError]).toEqual([mapId(900), expect.stringContaining("(rule: older)")]);
      }
      const fetches = await gateway.fetches();
      expect(fetches.changed).toBe(0);
      refused += fetches.refused;
      await gateway.stop(restart % 2 === 0 ? "SIGKILL" : "SIGTERM");
    }
    process.stdout.write(`replays: ${refused} over 5 restarts of the program, 0 accepted\n`);
  }, 120_000);
});

/** A valid map that is older than the newest accepted: one that was in force once, one nobody saw, or one of the same moment and an earlier id. */
function replayOf(accepted: readonly string[], startedAtMs: number, random: RandomSource): string {
  const newest = JSON.parse(accepted.at(-1) ?? "{}") as { readonly generatedAt: string };
  const kind = Math.floor(random.next() * 3);
  const once = accepted[Math.floor(random.next() * (accepted.length - 1))];
  if (kind === 0 && accepted.length > 1 && once !== undefined) return once;
  const newestMs = Date.parse(newest.generatedAt);
  if (kind === 1) return mapText([], { id: mapId(0), madeAtMs: newestMs, ttlSeconds: TTL_SECONDS });
  const madeAtMs = newestMs - 1 - Math.floor(random.next() * (newestMs - startedAtMs + 3_600_000));
  return mapText([], { id: mapId(999_999), madeAtMs, ttlSeconds: TTL_SECONDS });
}
