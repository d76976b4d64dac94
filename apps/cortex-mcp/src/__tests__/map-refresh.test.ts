import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { KnownMap, ServiceMapStatus } from "@cortex-os/mcp";
import { describe, expect, test, vi } from "vitest";
import { refreshOf, refreshText } from "../control/map-refresh.js";
import { connector, publishing } from "./publishing.js";
import { servingHomeOf } from "./serving.js";
import { createTestIo, type TestIo } from "./test-io.js";

const WAIT = { timeout: 20_000, interval: 50 };
/** Nothing is fetched unless somebody asks. */
const SELDOM = { MCP_CONNECTOR_REFRESH_INTERVAL_MS: "3600000" };

const entries = (...ids: readonly string[]): readonly object[] =>
  ids.map((id) => connector(id, "http://127.0.0.1:1/mcp"));

const refreshed = async (io: TestIo): Promise<unknown> =>
  JSON.parse((await io.run("map", "refresh", "--json")).out) as unknown;

async function statusOf(io: TestIo): Promise<ServiceMapStatus> {
  return (JSON.parse((await io.run("status", "--json")).out) as { serviceMap: ServiceMapStatus }).serviceMap;
}

describe("map refresh (R5: a person need not wait for the next interval)", () => {
  test("asks the running gateway to fetch now, and tells what came of it", async () => {
    const map = await publishing(entries("a", "b", "c", "d", "e"));
    const io = await createTestIo({ env: { ...map.env, ...SELDOM } });
    await servingHomeOf(io);
    await vi.waitFor(async () => expect(await statusOf(io)).toMatchObject({ state: "fresh" }), WAIT);
    const { id: first } = await statusOf(io);
    expect(await refreshed(io)).toMatchObject({ outcome: "unchanged", id: first, connectors: 5 });
    await map.publish(entries("a", "b", "c", "d", "e", "f"));
    const { out } = await io.run("map", "refresh");
    const { id: second } = await statusOf(io);
    expect(second).not.toBe(first);
    expect(out).toMatch(new RegExp(`^Accepted ${second} of \\S+, 6 connectors; cortex-mcp map diff shows`));
    await map.publish(entries("a"));
    expect(await refreshed(io)).toMatchObject({ outcome: "held", removed: ["b", "c", "d", "e", "f"] });
    expect(await statusOf(io)).toMatchObject({ id: second });
    // Whoever has neither URL nor key still reaches the gateway, and learns why.
    await map.close();
    const other = await createTestIo({ env: { CORTEX_HOME: io.home } });
    const failed = await other.run("map", "refresh");
    expect([failed.code, failed.out]).toEqual([1, ""]);
    expect(failed.err).toContain(`cortex-mcp: Service map ${map.url}: `);
    expect(await refreshed(other)).toEqual({ error: { code: "SERVICE_MAP", message: expect.any(String) } });
  });

  test("without a gateway it fetches once into the store, and the next gateway starts with that", async () => {
    const map = await publishing(entries("a"));
    const io = await createTestIo({ env: { ...map.env, ...SELDOM } });
    const first = await refreshed(io);
    expect(first).toMatchObject({ outcome: "accepted", connectors: 1 });
    expect(await refreshed(io)).toEqual({ ...(first as object), outcome: "unchanged" });
    expect((await io.run("list")).out).toMatch(/^a {5}map /m);
    await map.close();
    const failed = await io.run("map", "refresh", "--json");
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.out)).toMatchObject({ error: { code: "SERVICE_MAP" } });
    await servingHomeOf(io);
    expect(await statusOf(io)).toMatchObject({ id: (first as { id: string }).id });
  });

  test("a pin stays, and is told", async () => {
    const map = await publishing(entries("a"));
    const io = await createTestIo({ env: { ...map.env, ...SELDOM } });
    const { id } = (await refreshed(io)) as { id: string };
    await io.run("map", "pin");
    await map.publish(entries("a", "b"));
    expect((await io.run("map", "refresh")).out).toMatch(
      new RegExp(`^Accepted .+ In force stays ${id}, which is pinned, until cortex-mcp map pin --off\\.$`),
    );
  });

  test("a configuration that this command cannot read is no reason not to ask the gateway", async () => {
    const map = await publishing(entries("a"));
    const io = await createTestIo({ env: { ...map.env, ...SELDOM } });
    await servingHomeOf(io);
    const other = await createTestIo({ env: { CORTEX_HOME: io.home, CORTEX_MCP_PORT: "web" } });
    await vi.waitFor(async () => expect(await refreshed(other)).toMatchObject({ outcome: "unchanged" }), WAIT);
  });

  test("no map that is kept is an error, and a held one is told with what it takes away", () => {
    const status: ServiceMapStatus = { url: "u", mode: "background", state: "none", circuit: "closed", failures: 0 };
    expect(() => refreshOf([], { known: [], status })).toThrow(/no service map is kept/);
    const held: KnownMap = { id: "01B", generatedAt: "now", connectors: 1, role: "held", pinned: false };
    const refresh = refreshOf([], {
      known: [held],
      status: { ...status, held: { id: "01B", generatedAt: "now", removed: ["b", "c"], reason: "many" } },
    });
    expect(refreshText(refresh)).toBe(
      "Held: 01B of now, 1 connector, takes away b, c; cortex-mcp map diff shows it, cortex-mcp map accept puts it in force.",
    );
    expect(refreshText({ ...refresh, outcome: "unchanged" })).toBe(
      "Unchanged: the newest service map is 01B of now, 1 connector.",
    );
    expect(refreshText({ outcome: "held", id: "01B", generatedAt: "now", connectors: 1 })).toContain("takes away ;");
  });
});

describe("what is kept of a service map and cannot be used", () => {
  const stateFile = (io: TestIo): string => path.join(io.home, "mcp/state/service-map.json");

  test("is not called never fetched, with no gateway running", async () => {
    const map = await publishing(entries("a"));
    const io = await createTestIo({ env: map.env });
    expect((await io.run("list")).err).toMatch(/has not been fetched yet; cortex-mcp serve fetches it$/);
    await io.run("map", "refresh");
    const other = await createTestIo({
      env: { ...map.env, CORTEX_HOME: io.home, CONNECTORS_SIGNATURE_KEY: "another-key-of-more-than-thirty-two-bytes" },
    });
    expect((await other.run("list")).err).toMatch(
      /: what is kept of the service map is signed with a key that is not valid any more, or is another publisher's, and is dropped; cortex-mcp serve fetches it anew$/,
    );
    await writeFile(stateFile(io), "no JSON");
    const damaged = "what is kept of the service map is damaged, and dropped";
    expect((await io.run("list")).err).toBe(
      `cortex-mcp: warning: the service map's connectors are not shown: ${damaged}; cortex-mcp serve fetches it anew`,
    );
    const diff = await io.run("map", "diff");
    expect([diff.code, diff.err.split("\n")]).toEqual([
      1,
      [`cortex-mcp: warning: ${damaged}`, expect.stringContaining("nothing to compare")],
    ]);
    await rm(stateFile(io));
    expect((await io.run("map", "diff")).err).not.toContain("dropped");
  });
});
