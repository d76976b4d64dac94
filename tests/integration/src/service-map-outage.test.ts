import { startFixtureHttp, type FixtureHttp, type FixtureHttpOptions } from "@cortex-os/fixture-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { callInALoop } from "./support/call-loop.js";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { publishing } from "./support/map-publishers.js";
import { connector } from "./support/map-text.js";
import { programHome } from "./support/program-home.js";
import { connectLegacyClient, connectModernClient, type RealClient } from "./support/real-clients.js";

const WAIT = { timeout: 30_000, interval: 20 };

async function fixture(options: FixtureHttpOptions = {}): Promise<FixtureHttp> {
  const server = await startFixtureHttp(options);
  onTestFinished(() => server.close());
  return server;
}

/** A client that hears of changes: one of the modern era that listens, one of the legacy era with its GET stream. */
async function listening(
  connect: (url: string) => Promise<RealClient>,
  url: string,
): Promise<{ readonly client: RealClient; readonly told: () => number }> {
  const client = await connect(url);
  // Its gateway may be gone by then.
  onTestFinished(() => client.close().catch(() => {}));
  let told = 0;
  await client.onToolsChanged(() => {
    told += 1;
  });
  return { client, told: () => told };
}

const bothClients = async (url: string) =>
  Promise.all([listening(connectModernClient, url), listening(connectLegacyClient, url)]);

/** Calls every tool through every client until each pair made so many calls; none may fail. */
async function callWithoutFailure(clients: readonly RealClient[], tools: readonly string[], atLeast: number) {
  const loops = clients.flatMap((client) => tools.map((tool) => callInALoop(client, tool)));
  await vi.waitFor(() => {
    for (const { calls } of loops) expect(calls).toBeGreaterThanOrEqual(atLeast);
  }, WAIT);
  const results = await Promise.all(loops.map((loop) => loop.stop()));
  expect(results.flatMap(({ failures }) => failures)).toEqual([]);
  return results.reduce((sum, { calls }) => sum + calls, 0);
}

const allUp = async (gateway: GatewayProcess, ...keys: readonly string[]): Promise<void> => {
  const up = Object.fromEntries(keys.map((key) => [key, "up"]));
  await vi.waitFor(async () => expect(await gateway.states()).toMatchObject(up), WAIT);
};

const of = (key: string, tools: readonly string[]): readonly string[] =>
  tools.filter((name) => name.startsWith(`${key}__`));

describe("R4, R6: the publisher goes away, and comes back with other connectors", () => {
  test("clients notice nothing, across restarts too; then tools go, change and come, and the rest keeps its connections", async () => {
    const [own, steady, calm] = [await fixture(), await fixture({ era: "legacy" }), await fixture({ era: "modern" })];
    const [before, after, leaving, coming] = [
      await fixture(),
      await fixture({ extraTools: 3 }),
      await fixture(),
      await fixture(),
    ];
    const untouched = [connector("steady", steady.url), connector("calm", calm.url)];
    const first = [...untouched, connector("changing", before.url), connector("leaving", leaving.url)];
    const publisher = await publishing(first);
    const home = await programHome(publisher.env);
    await home.writeRegistry([{ name: "own", transport: "http", endpoint: own.url }]);
    let gateway = await startGateway(home);
    const port = Number(new URL(gateway.url).port);
    await allUp(gateway, "own", "steady", "calm", "changing", "leaving");
    const keys = ["own", "steady", "calm", "changing", "leaving"];
    const tools = keys.map((key) => `${key}__echo`);

    const clients = await bothClients(gateway.url);
    const [{ client: modern }] = clients;
    const loops = clients.flatMap(({ client }) => tools.map((tool) => callInALoop(client, tool)));
    await publisher.close();
    await vi.waitFor(async () => expect(await gateway.map()).toMatchObject({ circuit: "open" }), WAIT);
    await vi.waitFor(() => {
      for (const loop of loops) expect(loop.calls).toBeGreaterThan(30);
    }, WAIT);
    const duringOutage = await Promise.all(loops.map((loop) => loop.stop()));
    expect(duringOutage.flatMap(({ failures }) => failures)).toEqual([]);
    let calls = duringOutage.reduce((sum, loop) => sum + loop.calls, 0);
    expect(clients.map(({ told }) => told())).toEqual([0, 0]);

    for (const [signal, code] of [
      ["SIGTERM", 0],
      ["SIGKILL", null],
    ] as const) {
      expect(await gateway.stop(signal)).toBe(code);
      gateway = await startGateway(home, { port });
      const legacy = await connectLegacyClient(gateway.url);
      // The modern client is the one from before: it needs no session.
      calls += await callWithoutFailure([legacy, modern], tools, 10);
      await legacy.close();
      expect(await gateway.map()).toMatchObject({ state: "fresh", lastError: expect.stringContaining(publisher.url) });
    }
    process.stdout.write(`publisher away, gateway stopped and killed once each: ${calls} calls, 0 failed\n`);

    await allUp(gateway, ...keys);
    const anew = await bothClients(gateway.url);
    const connected = {
      ...{ sessions: steady.sessions, initialized: steady.requests.method("initialize") },
      ...{ discovered: calm.requests.method("server/discover"), own: own.requests.method("server/discover") },
    };
    const stayed = callInALoop(anew[0].client, "steady__echo");
    const changed = [...untouched, connector("changing", after.url), connector("coming", coming.url)];
    const back = performance.now();
    const returned = await publishing(changed, { port: publisher.port });
    await allUp(gateway, "own", "steady", "calm", "changing", "coming");
    for (const { client, told } of anew) {
      await vi.waitFor(async () => {
        expect(told()).toBeGreaterThan(0);
        const names = await client.tools();
        expect(of("leaving", names)).toEqual([]);
        expect(of("coming", names)).toContain("coming__echo");
        expect(of("changing", names)).toHaveLength(of("coming", names).length + 3);
      }, WAIT);
      expect(await client.call("changing__echo", { message: "new" })).toMatchObject({ text: "new" });
      await expect(client.call("leaving__echo", { message: "gone" })).rejects.toThrow(/leaving__echo/);
    }
    const ms = Math.round(performance.now() - back);
    expect(after.calls.started).toBe(2);
    expect((await stayed.stop()).failures).toEqual([]);
    expect({
      ...{ sessions: steady.sessions, initialized: steady.requests.method("initialize") },
      ...{ discovered: calm.requests.method("server/discover"), own: own.requests.method("server/discover") },
    }).toEqual(connected);
    expect(Object.keys(await gateway.states())).not.toContain("leaving");
    expect(await gateway.map()).toMatchObject({ state: "fresh", circuit: "closed", failures: 0, connectors: 4 });
    expect(returned.asked).toBeGreaterThan(0);
    process.stdout.write(`publisher back: both clients were told and saw all changes ${ms} ms later\n`);
  }, 120_000);

  test("past maxStale the map's connectors are down with that reason, the registry's stay, and a newer map brings them back", async () => {
    const [own, docs] = [await fixture(), await fixture()];
    const publisher = await publishing([connector("docs", docs.url)], { ttlSeconds: 1 });
    const home = await programHome({ ...publisher.env, CORTEX_MCP_SERVICE_MAP_MAX_STALE_MS: "1000" });
    await home.writeRegistry([{ name: "own", transport: "http", endpoint: own.url }]);
    const first = await startGateway(home);
    await allUp(first, "own", "docs");
    const { client, told } = await listening(connectModernClient, first.url);
    const loop = callInALoop(client, "own__echo");
    await publisher.close();
    const tooOld = expect.stringMatching(/^down: .+ the service map that names it is too old to be used/) as string;
    await vi.waitFor(async () => expect(await first.states()).toEqual({ own: "up", docs: tooOld }), WAIT);
    await vi.waitFor(() => expect(told()).toBeGreaterThan(0), WAIT);
    expect(await first.map()).toMatchObject({ state: "expired", lastError: expect.stringContaining("(rule: ") });
    expect((await first.status()).problems).toEqual([expect.stringContaining("too old to be used")]);
    const names = await client.tools();
    expect([of("docs", names), of("own", names).length > 0]).toEqual([[], true]);
    await expect(client.call("docs__echo", { message: "x" })).rejects.toMatchObject({ code: -31_001 });
    const { calls, failures } = await loop.stop();
    expect([calls > 0, failures]).toEqual([true, []]);
    await first.stop("SIGKILL");

    const second = await startGateway(home);
    await vi.waitFor(async () => expect(await second.states()).toEqual({ own: "up", docs: tooOld }), WAIT);
    await publishing([connector("docs", docs.url)], { ttlSeconds: 1, port: publisher.port });
    await vi.waitFor(async () => expect(await second.reloadMap()).toMatchObject({ state: "fresh" }), WAIT);
    await allUp(second, "own", "docs");
  }, 60_000);
});
