import { describe, expect, test, vi } from "vitest";
import { ownAddress } from "../control/live-statuses.js";
import { mapServers } from "../service-map/map-servers.js";
import { CANARY_KEY, connector, publishing } from "./publishing.js";
import { fixture, servingHomeOf, untilState } from "./serving.js";
import { createTestIo } from "./test-io.js";

const WAIT = { timeout: 20_000, interval: 50 };

describe("list and get, with the running gateway's word for the map's connectors", () => {
  test("tell addresses without the gateway's environment, and without what may be secret in them", async () => {
    const { url } = await fixture();
    const map = await publishing([
      connector("docs", `${url}?token=s3cret`, { description: "All documents" }),
      connector("off", url, { status: "disabled" }),
    ]);
    const io = await createTestIo({ env: map.env });
    const gateway = await servingHomeOf(io);
    await untilState(io, "docs", "up");
    const other = await createTestIo({ env: { CORTEX_HOME: io.home } });
    const list = await other.run("list");
    expect(list.err).toBe("");
    expect(list.out).toMatch(new RegExp(`^docs {2}map {5}http {7}up {8}\\d+ +${url}$`, "m"));
    expect(JSON.parse((await other.run("list", "--json")).out)).toEqual([
      {
        ...{ name: "docs", transport: "http", endpoint: url, title: "The docs connector", version: "1.0.0" },
        ...{ source: "map", status: expect.objectContaining({ state: "up" }) },
      },
      {
        ...{ name: "off", transport: "http", endpoint: url, title: "The off connector", version: "1.0.0" },
        ...{ disabled: true, source: "map", status: expect.objectContaining({ state: "disabled" }) },
      },
    ]);
    expect((await other.run("get", "docs", "--show-secrets")).out.split("\n")).toEqual([
      "docs (http)",
      "  source: service map, version 1.0.0",
      `  target: "${url}"`,
      `  by itself at: ${gateway.url}/-/docs`,
      "  state: up",
    ]);
    // Who has them reads the rest from what is kept.
    expect(JSON.parse((await io.run("get", "docs", "--json", "--show-secrets")).out)).toMatchObject({
      endpoint: `${url}?token=s3cret`,
      description: "All documents",
    });
  });

  test("R4: tell them of a map that is too old to be served, too", async () => {
    const { url } = await fixture();
    const map = await publishing([connector("docs", url)], { ttlSeconds: 1 });
    const io = await createTestIo({ env: { ...map.env, CORTEX_MCP_SERVICE_MAP_MAX_STALE_MS: "0" } });
    await servingHomeOf(io);
    await untilState(io, "docs", "up");
    await map.close();
    await untilState(io, "docs", "down");
    const list = await io.run("list");
    expect([list.err, list.out]).toEqual([
      "",
      expect.stringMatching(/^docs {2}map {5}http {7}down {3}- +http:\/\/127/m),
    ]);
    expect(list.out).toMatch(/^docs of the service map is down: .*the service map that names it is too old/m);
    expect((await io.run("get", "docs")).out).toContain(`  target: ${url}`);
  });

  test("R6: say why there is nothing when the publisher was never reached", async () => {
    const env = {
      CONNECTORS_SERVICE_MAP_URL: "http://127.0.0.1:1/map?token=s3cret",
      CONNECTORS_SIGNATURE_KEY: CANARY_KEY,
    };
    const io = await createTestIo({ env });
    await servingHomeOf(io);
    await vi.waitFor(async () => {
      expect((await io.run("list")).err).toMatch(
        /^cortex-mcp: warning: the service map's connectors are not shown: none has been accepted yet: .*rule: network/,
      );
    }, WAIT);
    expect(io.errLines.join("\n")).not.toMatch(/s3cret|canary/);
  });

  test("name at least what a gateway of another version has a state for", async () => {
    const io = await createTestIo();
    const states = { state: "up", tools: 1, since: "2026-01-01T00:00:00.000Z" } as const;
    const statuses = [
      { key: "own", source: "registry", ...states },
      { key: "docs", source: "map", ...states },
    ] as const;
    expect(await mapServers(io, { kind: "known", url: null, statuses })).toEqual({
      servers: [{ name: "docs", transport: "http" }],
    });
  });

  test("tell where a server is by itself, and of two of one name that of the one which has it", () => {
    const states = { state: "up", tools: 1, since: "2026-01-01T00:00:00.000Z" } as const;
    const statuses = [
      { key: "docs", source: "registry", ...states },
      { key: "docs", source: "map", ...states, state: "down" },
    ] as const;
    const live = { kind: "known", url: "http://127.0.0.1:1/mcp", statuses } as const;
    expect(ownAddress(live, "docs", "registry")).toBe("http://127.0.0.1:1/mcp/-/docs");
    expect(ownAddress(live, "docs", "map")).toBeUndefined();
    expect(ownAddress(live, "other", "registry")).toBeUndefined();
    expect(ownAddress({ ...live, url: null }, "docs", "registry")).toBeUndefined();
    expect(ownAddress({ kind: "none" }, "docs", "registry")).toBeUndefined();
  });

  test("say with no gateway that a pinned map has grown too old, and how to get rid of the pin", async () => {
    const map = await publishing([connector("docs", "http://127.0.0.1:1/mcp")], { ttlSeconds: 1 });
    const env = { ...map.env, CORTEX_MCP_SERVICE_MAP_MAX_STALE_MS: "0" };
    const io = await createTestIo({ env });
    await io.run("map", "refresh");
    await io.run("map", "pin");
    await vi.waitFor(async () => {
      expect((await io.run("list")).err).toMatch(
        /: the service map is pinned, and too old to be served; cortex-mcp map pin --off follows the newest again$/,
      );
    }, WAIT);
    await io.run("map", "pin", "--off");
    expect((await io.run("list")).err).toMatch(/: the service map has expired; cortex-mcp serve fetches it$/);
  });
});
