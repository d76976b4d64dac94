import { startFixtureHttp } from "@cortex-os/fixture-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { badAnswers, type GoodMap } from "./support/bad-map-answers.js";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { keepMap } from "./support/kept-map.js";
import { listBytes } from "./support/list-bytes.js";
import { switchedPublisher, type SwitchedPublisher } from "./support/map-publishers.js";
import { connector, mapId, mapText } from "./support/map-text.js";
import { programHome } from "./support/program-home.js";

const WAIT = { timeout: 15_000, interval: 20 };
/** Nothing is refreshed but when a test says so. */
const AT_REQUEST = { MCP_CONNECTOR_REFRESH_INTERVAL_MS: "3600000", CORTEX_MCP_SERVICE_MAP_TIMEOUT_MS: "500" };

async function fixture() {
  const server = await startFixtureHttp();
  onTestFinished(() => server.close());
  return server;
}

/** Publishes the good map number `n`, makes the gateway fetch it, and waits until it is in force. */
async function takesGoodMap(
  n: number,
  deps: {
    readonly publisher: SwitchedPublisher;
    readonly gateway: GatewayProcess;
    readonly connectors: readonly object[];
  },
): Promise<GoodMap> {
  const { publisher, gateway, connectors } = deps;
  const good = { connectors, id: mapId(n), madeAtMs: Date.now() };
  const text = mapText(connectors, good);
  publisher.send(text);
  await vi.waitFor(async () => expect((await gateway.reloadMap()).id).toBe(good.id), WAIT);
  expect(await gateway.map()).toMatchObject({ state: "fresh", failures: 0, circuit: "closed" });
  return { ...good, text };
}

describe("R2, R3, R6: a hostile publisher and a gateway that runs", () => {
  test("each bad input is refused by its rule, the last good map stays, and the next good one is taken", async () => {
    const server = await fixture();
    const [publisher, elsewhere] = [await switchedPublisher(), await switchedPublisher()];
    const home = await programHome({ ...publisher.env, ...AT_REQUEST });
    const connectors = [connector("docs", server.url)];
    publisher.send(mapText(connectors, { id: mapId(1) }));
    const gateway = await startGateway(home);
    await vi.waitFor(async () => expect(await gateway.states()).toEqual({ docs: "up" }), WAIT);
    const bytes = await listBytes(gateway.url);
    expect(bytes.toString()).toContain("docs__echo");
    elsewhere.send(mapText([], { id: mapId(999_999) }));
    const cases = badAnswers(elsewhere.url);
    const rules = new Set<string>();
    for (const [at, [name, rule, answer]] of cases.entries()) {
      const good = await takesGoodMap(at + 2, { publisher, gateway, connectors });
      const logged = gateway.log.length;
      publisher.behave(answer(good));
      await vi.waitFor(async () => {
        const { lastError = "" } = await gateway.reloadMap();
        expect([name, lastError]).toEqual([name, expect.stringContaining(`(rule: ${rule})`)]);
      }, WAIT);
      const { id, lastError, state } = await gateway.map();
      expect([name, id, state]).toEqual([name, good.id, "fresh"]);
      expect(lastError).toContain(`Service map ${publisher.url}: `);
      expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
      await vi.waitFor(() => {
        const said = gateway.log.slice(logged).find((line) => line.includes(`(rule: ${rule})`));
        expect([name, said]).toEqual([name, expect.stringContaining(publisher.url)]);
      }, WAIT);
      rules.add(rule);
    }
    await takesGoodMap(cases.length + 2, { publisher, gateway, connectors });
    const { changed, refused, unreachable, unchanged, held } = await gateway.fetches();
    expect([changed, unchanged, held]).toEqual([cases.length + 2, 0, 0]);
    expect(refused + unreachable).toBeGreaterThanOrEqual(cases.length);
    expect(elsewhere.asked).toBe(0);
    expect(gateway.log.join("\n")).not.toContain("canary");
    process.stdout.write(
      `bad input: ${cases.length} kinds by ${rules.size} rules, ${refused + unreachable} bad answers, 0 accepted\n`,
    );
  });

  test("200 maps with one bit flipped each: none is accepted", async () => {
    const server = await fixture();
    const publisher = await switchedPublisher();
    const home = await programHome({ ...publisher.env, ...AT_REQUEST });
    const connectors = [connector("docs", server.url)];
    publisher.send(mapText(connectors, { id: mapId(1) }));
    const gateway = await startGateway(home);
    const good = await takesGoodMap(2, { publisher, gateway, connectors });
    const original = Buffer.from(mapText(connectors, { id: mapId(3) }));
    const flips = 200;
    for (let n = 0; n < flips; n++) {
      const bit = Math.floor((n * original.length * 8) / flips);
      const flipped = Buffer.from(original);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      publisher.behave((_request, response) => response.end(flipped));
      const asked = publisher.asked;
      await vi.waitFor(async () => {
        const { id, lastError } = await gateway.reloadMap();
        expect([bit, id, lastError]).toEqual([bit, good.id, expect.stringMatching(/\(rule: /)]);
        expect(publisher.asked).toBeGreaterThan(asked);
      }, WAIT);
    }
    const { changed, refused } = await gateway.fetches();
    expect(changed).toBe(2);
    publisher.send(original.toString());
    await vi.waitFor(async () => expect((await gateway.reloadMap()).id).toBe(mapId(3)), WAIT);
    process.stdout.write(`flipped bits: ${refused} maps refused by a running gateway, 0 accepted\n`);
  });

  test("a publisher whose name is not known any more: the map that was kept stays in force", async () => {
    const server = await fixture();
    const publisher = await switchedPublisher();
    const home = await programHome({
      ...{ ...publisher.env, ...AT_REQUEST },
      CORTEX_MCP_SERVICE_MAP_ALLOWED_ORIGINS: new URL(server.url).origin,
    });
    const text = mapText([connector("docs", server.url)], { id: mapId(1) });
    publisher.send(text);
    const first = await startGateway(home);
    await vi.waitFor(async () => expect(await first.states()).toEqual({ docs: "up" }), WAIT);
    const bytes = await listBytes(first.url);
    await first.stop();
    const url = "http://publisher.invalid/v1/map?token=s3cret";
    await keepMap(home.folder, url, text);
    const gateway = await startGateway(home, { env: { CONNECTORS_SERVICE_MAP_URL: url } });
    await vi.waitFor(async () => {
      const { lastError } = await gateway.reloadMap();
      expect(lastError).toMatch(/^Service map http:\/\/publisher\.invalid\/v1\/map: its host name .+\(rule: network\)/);
    }, WAIT);
    expect(await gateway.map()).toMatchObject({ id: mapId(1), state: "fresh" });
    await vi.waitFor(async () => expect(await gateway.states()).toEqual({ docs: "up" }), WAIT);
    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
    expect([...gateway.log, JSON.stringify(await gateway.status())].join("\n")).not.toContain("s3cret");
  });
});
