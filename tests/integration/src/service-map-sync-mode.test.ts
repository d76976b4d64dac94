import { startFixtureHttp } from "@cortex-os/fixture-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { listBytes } from "./support/list-bytes.js";
import { publishing, switchedPublisher } from "./support/map-publishers.js";
import { connector, mapId, mapText } from "./support/map-text.js";
import { programHome } from "./support/program-home.js";

const WAIT = { timeout: 15_000, interval: 20 };
const SYNC = { MCP_CONNECTOR_REFRESH_SYNC: "true" };

async function fixture() {
  const server = await startFixtureHttp();
  onTestFinished(() => server.close());
  return server;
}

const untilState = async (gateway: GatewayProcess, state: string): Promise<void> => {
  await vi.waitFor(async () => expect(await gateway.map()).toMatchObject({ mode: "synchronous", state }), WAIT);
};

const untilUp = async (gateway: GatewayProcess, ...keys: readonly string[]): Promise<void> => {
  const up = Object.fromEntries(keys.map((key) => [key, "up"]));
  await vi.waitFor(async () => expect(await gateway.states()).toEqual(up), WAIT);
};

describe("R7: MCP_CONNECTOR_REFRESH_SYNC=true", () => {
  test("fetches when it starts, when asked to, and for a list or a call after the map expired: else never", async () => {
    const server = await fixture();
    const publisher = await publishing([connector("one", server.url)], { ttlSeconds: 1 });
    const home = await programHome({ ...publisher.env, ...SYNC });
    const gateway = await startGateway(home);
    await untilUp(gateway, "one");
    await untilState(gateway, "stale");
    // 100 ms is the interval that would hold in the background: this one is ten times as old.
    expect(publisher.asked).toBe(1);
    expect((await gateway.map()).nextRefreshAt).toBeUndefined();
    await publisher.publish([connector("one", server.url), connector("two", server.url)]);
    expect(publisher.asked).toBe(1);

    const bytes = await listBytes(gateway.url);
    expect(publisher.asked).toBe(2);
    await untilUp(gateway, "one", "two");
    expect([bytes.includes("one__echo"), bytes.includes("three__echo")]).toEqual([true, false]);
    const three = ["one", "two", "three"].map((id) => connector(id, server.url));
    await publisher.publish(three, 300);
    expect(await gateway.reloadMap()).toMatchObject({ state: "fresh", connectors: 3 });
    await untilUp(gateway, "one", "two", "three");
    const asked = publisher.asked;
    for (let list = 0; list < 5; list++) expect((await listBytes(gateway.url)).includes("three__echo")).toBe(true);
    expect(publisher.asked).toBe(asked);
    expect(await gateway.fetches()).toMatchObject({ refused: 0, unreachable: 0, held: 0 });
  });

  test("a publisher that hangs holds a list up no longer than the time-out; then the last good map is served", async () => {
    const server = await fixture();
    const publisher = await switchedPublisher();
    const timeoutMs = 300;
    const home = await programHome({
      ...{ ...publisher.env, ...SYNC },
      CORTEX_MCP_SERVICE_MAP_TIMEOUT_MS: String(timeoutMs),
    });
    publisher.behave((_request, response) => {
      response.end(mapText([connector("one", server.url)], { id: mapId(1), ttlSeconds: 1 }));
    });
    const gateway = await startGateway(home);
    await untilUp(gateway, "one");
    const fresh = await listBytes(gateway.url);
    await untilState(gateway, "stale");
    let hanging = 0;
    publisher.behave((_request, response) => {
      hanging += 1;
      response.on("close", () => {
        hanging -= 1;
      });
    });
    const started = performance.now();
    const stale = await listBytes(gateway.url);
    const ms = Math.round(performance.now() - started);
    expect(stale.equals(fresh)).toBe(true);
    expect(await gateway.map()).toMatchObject({ id: mapId(1), lastError: expect.stringContaining("(rule: timeout)") });
    // The gateway gave the publisher up, not the other way round.
    await vi.waitFor(() => expect(hanging).toBe(0), WAIT);
    process.stdout.write(`a list behind a publisher that hangs: ${ms} ms with a time-out of ${timeoutMs} ms\n`);
  });
});
