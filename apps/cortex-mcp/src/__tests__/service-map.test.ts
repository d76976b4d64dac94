import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { CANARY_API_KEY, CANARY_KEY, connector, ed25519, publishing } from "./publishing.js";
import { fixture, servingHomeOf, untilState } from "./serving.js";
import { createTestIo, type TestIo } from "./test-io.js";

const WAIT = { timeout: 20_000, interval: 50 };

/** What `status --json` says of the service map. */
async function mapStatus(io: TestIo): Promise<Record<string, unknown>> {
  const { out } = await io.run("status", "--json");
  return (JSON.parse(out) as { serviceMap: Record<string, unknown> }).serviceMap;
}

describe("a gateway that follows a service map", () => {
  test("serves its connectors beside the registry's, and shows where each comes from", async () => {
    const [mapped, own] = [await fixture(), await fixture()];
    const map = await publishing([
      connector("docs", mapped.url, { headers: { "X-Team": "s3cret" }, description: "All documents" }),
      connector("off", mapped.url, { status: "disabled" }),
    ]);
    const io = await createTestIo({ env: map.env });
    await io.run("add", "own", own.url);
    const { url } = await servingHomeOf(io);
    await untilState(io, "docs", "up");
    await untilState(io, "own", "up");
    expect((await io.run("call", "docs__echo", '{"message":"hi"}')).out).toBe("hi");
    const list = await io.run("list");
    expect(list.err).toBe("");
    expect(list.out).toMatch(/^NAME {2}SOURCE {4}TRANSPORT {2}STATE {5}TOOLS {2}TARGET$/m);
    expect(list.out).toMatch(/^own {3}registry {2}http {7}up {8}\d+ +http:\/\/127/m);
    expect(list.out).toMatch(/^docs {2}map {7}http {7}up {8}\d+ +http:\/\/127/m);
    expect(list.out).toMatch(/^off {3}map {7}http {7}disabled {2}- /m);
    const json = JSON.parse((await io.run("list", "--json")).out) as Record<string, unknown>[];
    expect(json).toMatchObject([
      { name: "own", source: "registry", status: { source: "registry", state: "up" } },
      {
        ...{ name: "docs", source: "map", transport: "http", endpoint: mapped.url, version: "1.0.0" },
        ...{ title: "The docs connector", description: "All documents", headers: { "X-Team": "***" } },
        status: { source: "map", state: "up" },
      },
      { name: "off", source: "map", disabled: true, status: { state: "disabled" } },
    ]);
    const get = await io.run("get", "docs");
    expect(get.out.split("\n")).toEqual([
      "docs (http)",
      "  source: service map, version 1.0.0",
      `  target: ${mapped.url}`,
      "  header: X-Team: ***",
      `  by itself at: ${url}/-/docs`,
      "  state: up",
    ]);
    expect(JSON.parse((await io.run("get", "docs", "--json")).out)).toMatchObject({
      name: "docs",
      source: "map",
      ownAddress: `${url}/-/docs`,
    });
    // Who has neither URL nor key still sees what the gateway says.
    const elsewhere = await createTestIo({ env: { CORTEX_HOME: io.home } });
    const seen = await elsewhere.run("list");
    expect([seen.err, seen.out]).toEqual(["", list.out]);
    const { id } = await mapStatus(io);
    expect((await io.run("status")).out).toMatch(
      new RegExp(
        `^Service map ${map.url}: fresh, 1 connector, id ${String(id)}, \\d+ s old(, next refresh in \\d+ s)?$`,
        "m",
      ),
    );
    const metrics = await (await fetch(new URL("/metrics", url))).text();
    expect(metrics).toMatch(/^brainwav_mcp_service_map_connectors 1$/m);
    expect(metrics).toMatch(/^brainwav_mcp_service_map_fetches_total\{outcome="changed"\} 1$/m);
  });

  test("a connector of the map is its publisher's to change, and the command says what to do", async () => {
    const map = await publishing([connector("docs", "http://127.0.0.1:1/mcp")]);
    const io = await createTestIo({ env: map.env });
    await servingHomeOf(io);
    await untilState(io, "docs", "down");
    for (const command of ["remove", "disable", "enable"]) {
      expect(await io.run(command, "docs")).toEqual({
        code: 1,
        out: "",
        err: 'cortex-mcp: "docs" comes from the service map, which only its publisher changes; cortex-mcp add docs puts a server of yours in its place',
      });
    }
    expect((await io.run("get", "dcos")).err).toContain('did you mean "docs"?');
  });

  test("a server of the registry takes the place of the map's of that name, and both are told", async () => {
    const server = await fixture();
    const map = await publishing([connector("docs", "http://127.0.0.1:1/mcp")]);
    const io = await createTestIo({ env: map.env });
    await servingHomeOf(io);
    await untilState(io, "docs", "down");
    expect((await io.run("add", "docs", server.url)).out).toMatch(/has picked it up: (connecting|up)\.$/);
    await vi.waitFor(async () => {
      expect((await io.run("list")).out).toMatch(/^docs {2}registry {2}http {7}up /m);
    }, WAIT);
    const list = await io.run("list");
    expect(list.out).toMatch(/^docs {2}map {7}http {7}down /m);
    expect(list.out).toMatch(/^docs of the service map is down: servers\.json has a server of this name/m);
    const status = await io.run("status");
    expect(status.out).toMatch(/^docs {2}registry {2}up /m);
    expect(status.out).toMatch(/^docs {2}map {7}down /m);
    expect((await io.run("get", "docs")).out).toMatch(/ {2}state: up$/);
  });

  test("R6: with the publisher away it starts at once, serves the registry, and says what is wrong", async () => {
    const server = await fixture();
    const env = {
      CONNECTORS_SERVICE_MAP_URL: "http://127.0.0.1:1/map?token=s3cret",
      CONNECTORS_SIGNATURE_KEY: CANARY_KEY,
      CONNECTORS_API_KEY: CANARY_API_KEY,
    };
    const io = await createTestIo({ env });
    await io.run("add", "own", server.url);
    const gateway = await servingHomeOf(io);
    await untilState(io, "own", "up");
    await vi.waitFor(async () => {
      expect(await mapStatus(io)).toMatchObject({
        state: "none",
        failures: expect.any(Number),
        lastError: expect.any(String),
      });
    }, WAIT);
    const { out } = await io.run("status");
    expect(out).toMatch(/^Problem: there is no service map/m);
    expect(out).toMatch(/^Service map http:\/\/127\.0\.0\.1:1\/map: none yet(, next refresh in \d+ (s|min))?$/m);
    expect(out).toMatch(/^ {2}last refresh failed \d+ s ago.*: /m);
    expect((await io.run("tools")).out).toMatch(/tools of 1 of 1 server\.$/);
    expectNoSecrets(io, gateway.io);
  });

  test("R4, R6: a restart without the publisher serves the map that was kept; without a gateway it is listed", async () => {
    const server = await fixture();
    const map = await publishing([connector("docs", server.url)]);
    const io = await createTestIo({ env: map.env });
    const first = await servingHomeOf(io);
    await untilState(io, "docs", "up");
    await first.stop();
    await map.close();
    const listed = await io.run("list");
    expect(listed.out).toMatch(/^docs {2}map {5}http {7}- {6}- {6}http:\/\/127/m);
    expect(listed.out).toMatch(/^No gateway is running/m);
    expect(JSON.parse((await io.run("list", "--json")).out)).toMatchObject([
      { name: "docs", source: "map", status: null },
    ]);
    expect((await io.run("get", "docs")).out).toMatch(/ {2}state: no gateway is running$/);
    expect((await io.run("remove", "docs")).err).toMatch(/"docs" comes from the service map/);
    await servingHomeOf(io);
    await untilState(io, "docs", "up");
    expect(await mapStatus(io)).toMatchObject({ state: "fresh", connectors: 1 });
  });

  test("R2: the keys rotate with the file, without a restart", async () => {
    const [first, second] = [ed25519("first"), ed25519("second")];
    const server = await fixture();
    const map = await publishing([connector("one", server.url)], { key: first.signing });
    const file = path.join((await createTestIo()).cwd, "keys.json");
    const setKeys = (...keys: readonly unknown[]): Promise<void> => writeFile(file, JSON.stringify({ keys }));
    await setKeys(...first.publicKeys);
    const io = await createTestIo({ env: { ...map.env, CONNECTORS_SIGNATURE_KEY: "", CONNECTORS_KEYS_FILE: file } });
    const gateway = await servingHomeOf(io);
    await untilState(io, "one", "up");
    expect((await io.run("status")).out).toMatch(/, key first(,|$)/m);
    await setKeys(...first.publicKeys, ...second.publicKeys);
    await map.signWith(second.signing);
    await vi.waitFor(async () => expect(await mapStatus(io)).toMatchObject({ keyId: "second" }), WAIT);
    await setKeys(...second.publicKeys);
    await map.publish([connector("one", server.url), connector("two", server.url)]);
    await untilState(io, "two", "up");
    expect(gateway.io.errLines.join("\n")).not.toContain("Refresh failed");
  });

  test("R7: MCP_CONNECTOR_REFRESH_SYNC=true: nothing is refreshed in the background, a list after expiry fetches", async () => {
    const server = await fixture();
    const map = await publishing([connector("one", server.url)], { ttlSeconds: 1 });
    const io = await createTestIo({ env: { ...map.env, MCP_CONNECTOR_REFRESH_SYNC: "true" } });
    const { url } = await servingHomeOf(io);
    await untilState(io, "one", "up");
    const status = await mapStatus(io);
    expect(status).toMatchObject({ mode: "synchronous" });
    expect(status).not.toHaveProperty("nextRefreshAt");
    expect((await io.run("status")).out).toContain("refreshed when it is needed");
    await map.publish([connector("one", server.url), connector("two", server.url)]);
    await vi.waitFor(async () => expect(await mapStatus(io)).toMatchObject({ state: "stale" }), WAIT);
    const fetched = async (): Promise<number> => {
      const metrics = await (await fetch(new URL("/metrics", url))).text();
      return Number(/fetches_total\{outcome="changed"\} (\d+)/.exec(metrics)?.[1]);
    };
    const before = await fetched();
    await vi.waitFor(async () => expect((await io.run("tools")).out).toMatch(/^two__echo /m), WAIT);
    expect(await fetched()).toBeGreaterThan(before);
  });

  test("no key is in anything that is logged, printed or kept", async () => {
    const server = await fixture();
    const map = await publishing([connector("docs", server.url, { auth: { type: "bearer" } })], {
      apiKey: CANARY_API_KEY,
    });
    const env = {
      ...map.env,
      CONNECTORS_API_KEY: CANARY_API_KEY,
      CORTEX_MCP_SERVICE_MAP_CREDENTIAL_ORIGINS: [map.url, server.url].map((url) => new URL(url).origin).join(),
      CORTEX_MCP_LOG_LEVEL: "debug",
    };
    const io = await createTestIo({ env });
    const gateway = await servingHomeOf(io);
    await untilState(io, "docs", "up");
    await map.close();
    await vi.waitFor(async () => expect(await mapStatus(io)).toMatchObject({ lastError: expect.any(String) }), WAIT);
    for (const command of ["status", "list", "tools"]) {
      await io.run(command);
      await io.run(command, "--json");
    }
    await io.run("get", "docs", "--show-secrets");
    await io.run("map", "diff");
    await gateway.stop();
    expect(gateway.io.errLines.length).toBeGreaterThan(10);
    expectNoSecrets(io, gateway.io);
    const kept = await readFile(path.join(io.home, "mcp/state/service-map.json"), "utf8");
    expect(kept).not.toMatch(/canary/);
  });

  test("a key that crosses a network in the clear is warned of", async () => {
    const env = {
      CONNECTORS_SERVICE_MAP_URL: "http://192.0.2.1/map",
      CONNECTORS_SIGNATURE_KEY: CANARY_KEY,
      CORTEX_MCP_SERVICE_MAP_API_KEY: CANARY_API_KEY,
    };
    const io = await createTestIo({ env });
    const gateway = await servingHomeOf(io);
    await gateway.stop();
    expect(gateway.io.errLines.join("\n")).toContain("The API key of the service map is sent unencrypted");
    expectNoSecrets(io, gateway.io);
  });
});

function expectNoSecrets(...all: readonly TestIo[]): void {
  const lines = all.flatMap(({ outLines, errLines }) => [...outLines, ...errLines]).join("\n");
  expect(lines).not.toMatch(/canary|s3cret/);
}
