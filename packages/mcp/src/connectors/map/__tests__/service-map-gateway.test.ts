import path from "node:path";
import { silentLogger } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import {
  failOnLeaks,
  initialize,
  rawModern,
  specAt,
  startFront,
  startUpstream,
  StaticSource,
} from "../../../__tests__/support/gateway.js";
import { RawConnection, startServer } from "../../../__tests__/support/http.js";
import { fileServiceMapStore, type ServiceMapStore } from "../service-map-store.js";
import { CONNECTORS_KEY, entryAt, follow, offering, Publisher, statesOf, temporaryFolder } from "./published-map.js";

failOnLeaks();

const LIST_CHANGED = /notifications\/tools\/list_changed/;
const DAY_MS = 86_400_000;

/** Time passes: the wall clock at once, and the timers a little. Thousands of attempts to reach the publisher would only take long. */
async function later(time: ManualTime, ms: number): Promise<void> {
  time.jump(ms - 1_000);
  await time.advance(1_000);
}

/** Two clients that listen for changes: one of each era. */
async function listeners(port: number) {
  const modern = await RawConnection.open(port);
  modern.write(rawModern("subscriptions/listen", { notifications: { toolsListChanged: true } }, "sub"));
  await modern.until(/acknowledged/);
  const { headers } = await initialize(port);
  const legacy = await RawConnection.open(port);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  legacy.write(["GET /mcp HTTP/1.1", "host: localhost", "accept: text/event-stream", ...lines, "", ""].join("\r\n"));
  await legacy.until(/200 OK/);
  return [modern, legacy];
}

describe("a gateway that follows a service map", () => {
  test("the publisher stops: clients notice nothing; it comes back with another map: tools go, change and come, clients are told, and the untouched keep their connections", async () => {
    const time = new ManualTime();
    const [kept, legacy, gone] = [
      await startUpstream({ era: "modern" }),
      await startUpstream({ era: "legacy" }),
      await startUpstream(),
    ];
    const [before, after, fresh] = [
      await startUpstream(),
      await startUpstream({ extraTools: 1 }),
      await startUpstream(),
    ];
    const untouched = [entryAt("kept", kept.url), entryAt("legacy", legacy.url)];
    const publisher = await Publisher.start(time, [
      ...untouched,
      entryAt("gone", gone.url),
      entryAt("moved", before.url),
    ]);
    const running = await follow(publisher.url, time);
    const { gateway, follower } = running;
    const front = await startFront(running);
    await gateway.settled();
    await vi.waitFor(() => expect(offering(gateway)).toEqual(["gone", "kept", "legacy", "moved"]));
    const connections = (): number[] => [
      kept.requests.method("server/discover"),
      legacy.requests.method("initialize"),
      legacy.requests.method("tools/list"),
    ];
    const connected = connections();
    const clients = await listeners(front.port ?? 0);
    const { revision } = gateway.status();

    await publisher.goAway();
    await time.advance(5 * 60_000);
    await vi.waitFor(() => expect(follower.status().failures).toBeGreaterThan(0));
    await later(time, 6 * DAY_MS);
    expect(follower.status()).toMatchObject({ state: "stale", connectors: 4 });
    expect(gateway.status().revision).toBe(revision);
    for (const key of ["kept", "gone", "moved"])
      expect(JSON.stringify(await gateway.callTool(`${key}__echo`, { message: "still here" }))).toContain("still here");
    for (const client of clients) expect(client.received).not.toMatch(LIST_CHANGED);

    await publisher.publish(...untouched, entryAt("moved", after.url), entryAt("new", fresh.url));
    await publisher.comeBack();
    await gateway.reload();
    await vi.waitFor(() => expect(offering(gateway)).toEqual(["kept", "legacy", "moved", "new"]));
    expect(statesOf(gateway)).toEqual({
      "kept (map)": "up",
      "legacy (map)": "up",
      "moved (map)": "up",
      "new (map)": "up",
    });
    await expect(gateway.callTool("gone__echo", {})).rejects.toMatchObject({ code: "TOOL_UNKNOWN" });
    expect(gateway.tools().filter(({ connector }) => connector === "moved").length).toBeGreaterThan(
      gateway.tools().filter(({ connector }) => connector === "new").length,
    );
    for (const client of clients) await client.until(LIST_CHANGED);
    expect(connections()).toEqual(connected);
    for (const client of clients) client.close();
  });

  test("a map that is too old takes its connectors down, and nobody else's; the next one brings them back", async () => {
    const time = new ManualTime();
    const [mine, theirs] = [await startUpstream(), await startUpstream()];
    const publisher = await Publisher.start(time, [entryAt("theirs", theirs.url)]);
    const registry = [new StaticSource([specAt("mine", mine.url)])];
    const { gateway } = await follow(publisher.url, time, { registry });
    await gateway.settled();
    await vi.waitFor(() => expect(offering(gateway)).toEqual(["mine", "theirs"]));
    await publisher.goAway();
    await later(time, 7 * DAY_MS + 298_000);
    expect(statesOf(gateway)).toEqual({ "mine (registry)": "up", "theirs (map)": "up" });
    await later(time, 2_000);
    // Whoever asks the publisher again notices how late it is.
    await time.advance(120_000);
    await vi.waitFor(() => expect(statesOf(gateway)).toEqual({ "mine (registry)": "up", "theirs (map)": "down" }));
    const { connectors, problems } = gateway.status();
    expect(connectors.at(-1)?.reason).toContain("too old to be used");
    expect(problems).toEqual([
      expect.stringMatching(/^the service map is too old to be used, and there is no newer one: /),
    ]);
    await expect(gateway.callTool("theirs__echo", {})).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining("too old to be used"),
    });
    await publisher.comeBack();
    await gateway.reload();
    await vi.waitFor(() => expect(offering(gateway)).toEqual(["mine", "theirs"]));
    expect(gateway.status().problems).toEqual([]);
  });

  test("a restart while the publisher is away serves the persisted map at once", async () => {
    const time = new ManualTime();
    const upstream = await startUpstream();
    const publisher = await Publisher.start(time, [entryAt("a", upstream.url)]);
    const file = path.join(await temporaryFolder(), "state", "service-map.json");
    const store = (): ServiceMapStore => fileServiceMapStore({ file, logger: silentLogger, clock: time });
    const first = await follow(publisher.url, time, { follower: { store: store() } });
    await vi.waitFor(() => expect(offering(first.gateway)).toEqual(["a"]));
    const { revision } = first.gateway.status();
    await first.gateway.close();
    await publisher.goAway();
    await later(time, 3 * DAY_MS);
    const second = await follow(publisher.url, time, { follower: { store: store() } });
    await second.gateway.settled();
    await vi.waitFor(() => expect(second.gateway.status().revision).toBe(revision));
    expect(second.follower.status().state).toBe("stale");
  });

  test("a publisher that hangs keeps no registry's connector waiting, and is told of", async () => {
    const time = new ManualTime();
    const upstream = await startUpstream();
    const hung = await startServer(() => {});
    const registry = [new StaticSource([specAt("mine", upstream.url)])];
    const { gateway, follower } = await follow(`http://127.0.0.1:${hung.port}/map`, time, { registry });
    expect(gateway.status().problems).toEqual(["the service map is being fetched for the first time"]);
    await vi.waitFor(() => expect(statesOf(gateway)).toEqual({ "mine (registry)": "up" }));
    expect(JSON.stringify(await gateway.callTool("mine__echo", { message: "hello" }))).toContain("hello");
    await time.advance(5_000);
    await vi.waitFor(() => expect(gateway.status().problems[0]).toMatch(/^there is no service map: /));
    await follower.stop();
  });

  test("with the publisher away from the start and nothing else, clients are told why and never an empty list", async () => {
    const time = new ManualTime();
    const publisher = await Publisher.start(time, []);
    await publisher.goAway();
    const { gateway } = await follow(publisher.url, time);
    await gateway.settled();
    expect(gateway.isReady).toBe(false);
    await publisher.comeBack();
    await gateway.reload();
    expect([gateway.isReady, gateway.tools()]).toEqual([true, []]);
  });

  test("the key goes to the origins that local configuration names, to no other, and into no status, log or metric", async () => {
    const time = new ManualTime();
    const seen: Record<string, (string | undefined)[]> = { allowed: [], other: [] };
    const serverFor = async (name: string): Promise<number> => {
      const { port } = await startServer((request, response) => {
        seen[name]?.push(request.headers.authorization);
        response.writeHead(404).end();
      });
      return port;
    };
    const [allowed, other] = [await serverFor("allowed"), await serverFor("other")];
    const auth = { type: "bearer" } as const;
    const publisher = await Publisher.start(time, [
      entryAt("allowed", `http://127.0.0.1:${allowed}/mcp`, { auth }),
      entryAt("other", `http://127.0.0.1:${other}/mcp`, { auth }),
      entryAt("plain", `http://127.0.0.1:${other}/mcp`),
    ]);
    const origins = { credentialOrigins: [`http://127.0.0.1:${allowed}`] };
    const { gateway, logger, metrics } = await follow(publisher.url, time, { origins });
    await vi.waitFor(() => expect(Object.values(statesOf(gateway))).toEqual(["down", "down", "down"]));
    expect(new Set(seen["allowed"])).toEqual(new Set([`Bearer ${CONNECTORS_KEY}`]));
    expect(new Set(seen["other"])).toEqual(new Set([undefined]));
    expect(gateway.status().connectors.find(({ key }) => key === "other")?.reason).toContain(
      `its origin http://127.0.0.1:${other} may not get CONNECTORS_API_KEY`,
    );
    gateway.measure();
    const shown = JSON.stringify([gateway.status(), logger.lines, await metrics.exposition()]);
    expect(shown).not.toContain(CONNECTORS_KEY);
  });

  test("a connector that the registry has too is counted once, and the map's shows why it is not served (R15)", async () => {
    const time = new ManualTime();
    const upstream = await startUpstream();
    const publisher = await Publisher.start(time, [entryAt("a", upstream.url)]);
    const registry = [new StaticSource([specAt("a", upstream.url)])];
    const { gateway, metrics } = await follow(publisher.url, time, { registry });
    await gateway.settled();
    await vi.waitFor(() => expect(statesOf(gateway)).toEqual({ "a (registry)": "up", "a (map)": "down" }));
    gateway.measure();
    const text = await metrics.exposition();
    expect(text.match(/^brainwav_mcp_connector_proxy_up\{.*$/gm)).toEqual([
      'brainwav_mcp_connector_proxy_up{connector="a"} 1',
    ]);
    for (const line of [
      "brainwav_mcp_service_map_stale 0",
      "brainwav_mcp_service_map_connectors 1",
      'brainwav_mcp_service_map_fetches_total{outcome="changed"} 1',
    ])
      expect(text).toContain(line);
  });
});
