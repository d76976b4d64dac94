import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { silentLogger } from "@cortex-os/mcp-core";
import { describe, expect, test, vi } from "vitest";
import { ExampleMap } from "../example/example-map.js";
import { exampleProgram } from "../example/example-program.js";
import { anyPort, registryOf, startExample } from "./example-fixture.js";
import { CANARY_API_KEY, CANARY_KEY, connector, publishing } from "./publishing.js";
import { fixture } from "./serving.js";
import { createTestIo, type TestIo } from "./test-io.js";

const mapFile = (io: TestIo, name: string): string => path.join(io.home, "mcp/example/map", name);

interface Manifest {
  readonly connectors: readonly Record<string, unknown>[];
}

const manifestOf = async (io: TestIo): Promise<Manifest> =>
  JSON.parse(await readFile(mapFile(io, "manifest.json"), "utf8")) as Manifest;

/** The registry's own servers take seconds to start, and are not what is tested here. */
const ONLY_MAP = JSON.stringify({
  servers: [
    { name: "memory", transport: "http", endpoint: "http://127.0.0.1:1/mcp", cortexExample: true, disabled: true },
  ],
});

async function homeWithoutServers(env: Readonly<Record<string, string>> = {}): Promise<TestIo> {
  const io = await createTestIo({ env: { ...anyPort, ...env } });
  await mkdir(path.join(io.home, "mcp"), { recursive: true });
  await writeFile(path.join(io.home, "mcp/servers.json"), ONLY_MAP);
  return io;
}

async function mapStatus(io: TestIo): Promise<Record<string, unknown> | undefined> {
  const { out } = await io.run("status", "--json");
  return (JSON.parse(out) as { serviceMap?: Record<string, unknown> }).serviceMap;
}

describe("the service map of pnpm start", () => {
  test("is signed with a key that only its owner can read, and is what `map verify` accepts", async () => {
    const io = await homeWithoutServers();
    const { said } = await startExample(io);
    expect(said()).toMatch(/^ {2}fixture +map +up, \d+ tools {2}\(/m);
    expect((await io.run("call", "fixture__echo", '{"message":"hello"}')).out).toBe("hello");
    const [folder, keys] = await Promise.all([stat(mapFile(io, "")), stat(mapFile(io, "keys.json"))]);
    expect([folder.mode & 0o777, keys.mode & 0o777]).toEqual([0o700, 0o600]);
    const { url, keyId } = (await mapStatus(io)) ?? {};
    const verified = await io.run("map", "verify", String(url), "--keys", mapFile(io, "public.json"));
    expect(verified).toMatchObject({ code: 0, err: "" });
    expect(verified.out).toContain(`key: ${String(keyId)}`);
    expect(await readFile(mapFile(io, "public.json"), "utf8")).not.toContain('"d"');
    expect(io.errLines).toEqual([]);
  });

  test("config.json takes effect while it runs: another map in its place, and back to the example's", async () => {
    const io = await homeWithoutServers({ CONNECTORS_SIGNATURE_KEY: CANARY_KEY });
    await startExample(io);
    const own = await mapStatus(io);
    const map = await publishing([connector("docs", (await fixture()).url)]);
    const configure = async (config: object): Promise<void> =>
      writeFile(path.join(io.home, "mcp/config.json"), JSON.stringify(config));
    const connectorsNow = async (): Promise<string> => (await io.run("list")).out;
    await configure({ serviceMap: { url: map.url }, names: { separator: "." } });
    await vi.waitFor(async () => expect(await connectorsNow()).toMatch(/^docs +map +http +up/m), 20_000);
    expect(await connectorsNow()).not.toMatch(/^fixture/m);
    await configure({});
    await vi.waitFor(async () => expect(await connectorsNow()).toMatch(/^fixture +map +http +up/m), 20_000);
    expect((await mapStatus(io))?.["url"]).toBe(own?.["url"]);
    expect((await io.run("call", "fixture__echo", '{"message":"back"}')).out).toBe("back");
  });

  test("keeps its key and what was edited over a restart, and the newer map is taken", async () => {
    const io = await homeWithoutServers();
    const first = await startExample(io);
    const before = await mapStatus(io);
    await first.stop();
    const manifest = await manifestOf(io);
    const mine = connector("mine", "http://127.0.0.1:1/mcp", { status: "disabled" });
    const copy = { ...manifest.connectors[0], id: "copy" };
    await writeFile(
      mapFile(io, "manifest.json"),
      JSON.stringify({ ...manifest, connectors: [mine, ...manifest.connectors, copy] }),
    );
    const second = await startExample(io);
    expect(second.said()).toMatch(/^ {2}mine +map +disabled {2}/m);
    expect(second.said()).not.toMatch(/^ {2}fixture +map +down: /m);
    expect((await io.run("call", "fixture__echo", '{"message":"again"}')).out).toBe("again");
    const after = await mapStatus(io);
    expect(after).toMatchObject({ state: "fresh", keyId: before?.["keyId"], connectors: 2 });
    expect(String(after?.["generatedAt"]) > String(before?.["generatedAt"])).toBe(true);
    const { connectors } = await manifestOf(io);
    expect(connectors[0]).toEqual(mine);
    expect(connectors[2]?.["endpoint"]).toBe(connectors[1]?.["endpoint"]);
    expect(connectors[1]?.["endpoint"]).not.toBe(manifest.connectors[0]?.["endpoint"]);
    // What the publisher and the gateway keep of the example's map is with the example.
    expect(await readdir(path.join(io.home, "mcp", "state"))).toEqual(["catalog"]);
    expect(io.errLines).toEqual([]);
  });

  test("an edited manifest is followed while it runs, and a fixture that was taken out of it stays out", async () => {
    const io = await homeWithoutServers({ MCP_CONNECTOR_REFRESH_INTERVAL_MS: "100" });
    const first = await startExample(io);
    const manifest = await manifestOf(io);
    await writeFile(mapFile(io, "manifest.json"), JSON.stringify({ ...manifest, connectors: [] }));
    await vi.waitFor(async () => {
      expect(await mapStatus(io)).toMatchObject({ connectors: 0 });
    }, 10_000);
    expect((await io.run("call", "fixture__echo", "{}")).code).toBe(1);
    await first.stop();
    const second = await startExample(io);
    expect(second.said()).not.toContain("fixture__echo");
    expect(second.said()).toContain("What says map");
    expect((await manifestOf(io)).connectors).toEqual([]);
  });

  test("an entry that an older version wrote for the fixture gives way to the map", async () => {
    const io = await homeWithoutServers();
    const old = { name: "fixture", transport: "http", endpoint: "http://127.0.0.1:1/mcp", cortexExample: true };
    await writeFile(path.join(io.home, "mcp/servers.json"), JSON.stringify({ servers: [old] }));
    const first = await startExample(io);
    expect(first.said()).toMatch(/^ {2}fixture +map +up, /m);
    expect((await registryOf(io)).servers).toEqual([]);
    await first.stop();
    // Nothing in the registry is the example's any more, but its map still is.
    expect((await startExample(io)).said()).toMatch(/^ {2}fixture +map +up, /m);
  });

  test("a fixture of somebody's own beside the example is served, and no map is published", async () => {
    const io = await homeWithoutServers();
    const own = await fixture();
    await io.run("add", "fixture", own.url);
    const { said } = await startExample(io);
    expect(said()).toMatch(/^ {2}fixture +registry +up, /m);
    expect(await mapStatus(io)).toBeUndefined();
  });

  test("a configured service map is followed instead, and the example says nothing of its own", async () => {
    const mapped = await fixture();
    const map = await publishing([connector("docs", mapped.url)]);
    const io = await homeWithoutServers(map.env);
    const { said } = await startExample(io);
    expect(said()).toMatch(/^ {2}docs +map +up, /m);
    expect(said()).not.toMatch(/fixture|service map/);
    expect(await mapStatus(io)).toMatchObject({ url: map.url, state: "fresh" });
    await expect(readdir(mapFile(io, ""))).rejects.toThrow("ENOENT");
  });

  test("when the port is taken, what is published already serves the second attempt", async () => {
    const taken = await fixture();
    const io = await homeWithoutServers({ CORTEX_MCP_PORT: new URL(taken.url).port });
    const { said } = await startExample(io);
    expect(said()).toMatch(/is taken by another program[^]*^ {2}fixture +map +up, /m);
    expect((await io.run("call", "fixture__echo", '{"message":"hello"}')).out).toBe("hello");
  });

  test("--empty publishes nothing, also after a start with the example", async () => {
    const io = await homeWithoutServers();
    await (await startExample(io)).stop();
    const { said } = await startExample(io, "--empty");
    expect(said()).not.toMatch(/fixture|service map/);
    expect(await mapStatus(io)).toBeUndefined();
  });

  test("secrets of the environment go neither into the example's ring nor to its publisher", async () => {
    const io = await homeWithoutServers({
      ...{ CONNECTORS_SIGNATURE_KEY: "too short", CONNECTORS_API_KEY: CANARY_API_KEY },
    });
    const { said } = await startExample(io);
    expect(said()).toMatch(/^ {2}fixture +map +up, /m);
    expect([said(), ...io.errLines].join("\n")).not.toContain(CANARY_API_KEY);
  });

  test.each([
    ["manifest.json", "{", /the manifest .*manifest\.json cannot be published/],
    ["keys.json", CANARY_KEY, /cannot use the key set .*keys\.json: it is not JSON$/],
  ])("a %s that cannot be used is an error that names it, and nothing stays open", async (name, text, problem) => {
    const io = await homeWithoutServers();
    await (await startExample(io)).stop();
    await writeFile(mapFile(io, name), text);
    expect(await exampleProgram([], io)).toBe(1);
    expect(io.errLines.at(-1)).toMatch(problem);
    expect(io.errLines.join("\n")).not.toContain(CANARY_KEY);
    expect(io.listening()).toBe(0);
    await rm(mapFile(io, name));
    expect((await startExample(io)).said()).toMatch(/^ {2}fixture +map +up, /m);
  });

  test("what was still starting when it was closed ends itself", async () => {
    const io = await createTestIo();
    const map = new ExampleMap(mapFile(io, ""), io.system);
    const published = map.publish(silentLogger);
    await map.close();
    await expect(published).rejects.toMatchObject({ code: "CANCELLED" });
    expect(map.published).toBeUndefined();
  });
});
