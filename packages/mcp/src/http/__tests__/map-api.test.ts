import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { failOnLeaks, startFront, startServed, startUpstream } from "../../__tests__/support/gateway.js";
import { send } from "../../__tests__/support/http.js";
import { entryAt, follow, offering, Publisher } from "../../connectors/map/__tests__/published-map.js";

failOnLeaks();

const ROUTE = "/api/v1/map";
const FIVE = ["a", "b", "c", "d", "e"];

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Asks a front on that port. */
const asking =
  (port: number) =>
  async (method: string, path: string, body?: string): Promise<Answer> => {
    const { status, text } = await send({ port, method, path, ...(body === undefined ? {} : { body }) });
    return { status, body: text === "" ? undefined : JSON.parse(text) };
  };

/** A gateway whose publisher first named five connectors and then, which is held, one. */
async function holding() {
  const time = new ManualTime();
  const { url } = await startUpstream();
  const five = FIVE.map((id) => entryAt(id, url));
  const publisher = await Publisher.start(time, five);
  const running = await follow(publisher.url, time);
  const { gateway } = running;
  await vi.waitFor(() => expect(offering(gateway)).toHaveLength(5));
  await time.advance(1_000);
  await publisher.publish(entryAt("a", url));
  await gateway.reload("map");
  const front = await startFront(running, { controlApi: true });
  const operate = asking(front.port ?? 0);
  return { ...running, url, publisher, ask: operate, pose: async (body: string) => operate("POST", ROUTE, body) };
}

describe("the control API of the service map (R6)", () => {
  test("tells how it stands and which maps are kept", async () => {
    const { ask, gateway, url } = await holding();
    const status = JSON.parse(JSON.stringify(gateway.serviceMap?.status())) as object;
    expect(await ask("GET", ROUTE)).toEqual({
      status: 200,
      body: {
        status,
        connectors: FIVE.map((id) => expect.objectContaining({ id, version: "1.0.0", endpoint: url })),
        known: [
          expect.objectContaining({ role: "held", connectors: 1, pinned: false }),
          expect.objectContaining({ role: "accepted", connectors: 5, pinned: false }),
        ],
      },
    });
    expect(status).toMatchObject({ state: "fresh", connectors: 5, held: { removed: ["b", "c", "d", "e"] } });
    expect((await ask("GET", "/api/v1/status")).body).toMatchObject({
      serviceMap: { held: { removed: ["b", "c", "d", "e"] } },
    });
  });

  test("tells which connectors the map names, without what may be secret in their addresses, also when it is too old", async () => {
    const time = new ManualTime();
    const entries = [
      entryAt("a", "http://127.0.0.1:1/mcp?token=s3cret", { name: "All documents", version: "2.0.0" }),
      entryAt("b", "http://127.0.0.1:1/b", { status: "disabled" }),
    ];
    const publisher = await Publisher.start(time, entries);
    const running = await follow(publisher.url, time, { follower: { maxStaleMs: 1_000 } });
    await vi.waitFor(() => expect(running.follower.isFresh).toBe(true));
    const ask = asking((await startFront(running, { controlApi: true })).port ?? 0);
    const connectors = [
      { id: "a", name: "All documents", version: "2.0.0", status: "enabled", endpoint: "http://127.0.0.1:1/mcp" },
      expect.objectContaining({ id: "b", status: "disabled", endpoint: "http://127.0.0.1:1/b" }),
    ];
    expect((await ask("GET", ROUTE)).body).toMatchObject({ status: { state: "fresh" }, connectors });
    await publisher.goAway();
    await time.advance(302_000);
    expect((await ask("GET", ROUTE)).body).toMatchObject({ status: { state: "expired" }, connectors });
  });

  test("tells what the held map would change", async () => {
    const { ask } = await holding();
    expect(await ask("GET", `${ROUTE}/diff`)).toMatchObject({
      status: 200,
      body: { added: [], removed: ["b", "c", "d", "e"], changed: [], unchanged: 1 },
    });
  });

  test("takes a person's word: accept, roll back, unpin, pin by id", async () => {
    const { ask, pose, gateway } = await holding();
    expect(await pose('{"kind":"accept"}')).toMatchObject({ status: 200, body: { message: expect.any(String) } });
    await vi.waitFor(() => expect(offering(gateway)).toEqual(["a"]));
    const rolledBack = await pose('{"kind":"rollback"}');
    expect(rolledBack).toMatchObject({ status: 200, body: { id: expect.any(String) } });
    await vi.waitFor(() => expect(offering(gateway)).toHaveLength(5));
    expect((await pose('{"kind":"unpin"}')).status).toBe(200);
    await vi.waitFor(() => expect(offering(gateway)).toEqual(["a"]));
    const { id } = rolledBack.body as { id: string };
    expect((await pose(JSON.stringify({ kind: "pin", id }))).body).toMatchObject({ id });
    expect((await pose('{"kind":"pin"}')).body).toMatchObject({ id });
    expect((await ask("GET", ROUTE)).body).toMatchObject({
      known: [
        { role: "accepted", pinned: false },
        { id, role: "previous", pinned: true },
      ],
    });
    expect((await pose('{"kind":"reset-floor"}')).status).toBe(200);
  });

  test.each([
    ["{", -32_700, "The body is not JSON"],
    ["[]", -32_602, "The body must be a JSON object"],
    ["", -32_602, "kind must be pin, unpin, rollback, accept or reset-floor"],
    ['{"kind":"delete"}', -32_602, "kind must be pin, unpin, rollback, accept or reset-floor"],
    ['{"kind":"pin","id":7}', -32_602, "id must be the id of a service map"],
    ['{"kind":"accept","id":7}', -32_602, "id must be the id of a service map"],
    ['{"kind":"accept","connectorsDigest":[]}', -32_602, "connectorsDigest must be that of the held service map"],
    ['{"kind":"unpin"}', -32_603, "No service map is pinned: nothing to do"],
    ['{"kind":"rollback"}', -32_603, "There is no older service map to roll back to"],
  ])("answers %s with what is wrong and what there is", async (body, code, message) => {
    const { pose } = await holding();
    const own = code === -32_603 ? { code: "USER_INPUT" } : {};
    expect(await pose(body)).toEqual({ status: 400, body: { error: { code, message }, ...own } });
  });

  test("says that there is no map yet, and what a gateway without one lacks", async () => {
    const time = new ManualTime();
    const publisher = await Publisher.start(time, []);
    await publisher.goAway();
    const running = await follow(publisher.url, time);
    await running.gateway.settled();
    const ask = asking((await startFront(running, { controlApi: true })).port ?? 0);
    expect(await ask("GET", ROUTE)).toMatchObject({
      status: 200,
      body: { status: { state: "none" }, known: [], connectors: [] },
    });
    expect(await ask("GET", `${ROUTE}/diff`)).toEqual({
      status: 400,
      body: {
        error: { code: -32_603, message: "There is no service map yet: nothing to compare" },
        code: "USER_INPUT",
      },
    });
    const without = await startServed([], {}, { controlApi: true });
    const other = asking(without.port);
    for (const [method, route] of [
      ["GET", ROUTE],
      ["GET", `${ROUTE}/diff`],
      ["POST", ROUTE],
    ] as const) {
      expect(await other(method, route, method === "POST" ? "{}" : undefined)).toMatchObject({
        status: 400,
        body: { error: { code: -32_603, message: expect.stringContaining("CONNECTORS_SERVICE_MAP_URL") } },
      });
    }
    expect((await other("GET", "/api/v1/status")).body).not.toHaveProperty("serviceMap");
  });

  test.each([
    ["PUT", ROUTE],
    ["POST", `${ROUTE}/diff`],
    ["DELETE", ROUTE],
  ])("%s %s is 405", async (method, route) => {
    const { port } = await startServed([], {}, { controlApi: true });
    expect((await send({ port, method, path: route })).status).toBe(405);
  });

  test("is not on a front that was not asked to serve it", async () => {
    const { port } = await startServed([]);
    for (const route of [ROUTE, `${ROUTE}/diff`]) expect((await send({ port, path: route })).status).toBe(404);
  });
});

describe("R7: MCP_CONNECTOR_REFRESH_SYNC", () => {
  test("the map is fetched when it is stale and somebody asks, and by nobody else", async () => {
    const time = new ManualTime();
    const { url } = await startUpstream();
    const publisher = await Publisher.start(time, [entryAt("a", url)]);
    const flags = { asyncRefresh: false, refreshIntervalMs: 60_000 };
    let fetches = 0;
    const onFetch = (): void => void (fetches += 1);
    const running = await follow(publisher.url, time, { follower: { flags, onFetch } });
    const { gateway } = running;
    await vi.waitFor(() => expect(offering(gateway)).toEqual(["a"]));
    expect([gateway.status().serviceMap?.mode, fetches]).toEqual(["synchronous", 1]);
    await publisher.publish(entryAt("a", url), entryAt("b", url));
    const ask = asking((await startFront(running, { controlApi: true })).port ?? 0);
    const listed = async (): Promise<unknown> => {
      const { body } = await ask("GET", "/api/v1/tools");
      return [...new Set((body as { tools: { connector: string }[] }).tools.map(({ connector }) => connector))];
    };
    expect(await listed()).toEqual(["a"]);
    await time.advance(301_000);
    expect(fetches).toBe(1);
    await publisher.publish(entryAt("b", url));
    expect(await listed()).toEqual(["b"]);
    await time.advance(301_000);
    await publisher.publish(entryAt("c", url));
    expect(JSON.stringify(await gateway.callTool("c__echo", { message: "found" }))).toContain("found");
    expect(fetches).toBe(3);
  });
});
