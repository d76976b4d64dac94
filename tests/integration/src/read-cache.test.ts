import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import { Client as LegacySdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacySdkHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expect, onTestFinished, test, vi } from "vitest";
import { modernPost } from "./support/modern-post.js";
import { startTestGateway, type TestGateway } from "./support/test-gateway.js";

// R22: what a server says may be read once more is (2026-07-28, Caching), for clients of both eras, and no longer than it says.

const HELLO = "fixture://cortex-fixture/hello";
const PRIVATE = "fixture://cortex-fixture/private";
const COUNTER = "fixture://cortex-fixture/counter";
const TOUCH = "docs__touch";

/** A gateway in front of the fixture over HTTP, and how often that was asked for a resource. */
async function overHttp(options: Parameters<typeof startTestGateway>[1] = {}) {
  const server = await startFixtureHttp({ era: "modern" });
  onTestFinished(async () => server.close());
  const gateway = await gatewayOver({ name: "docs", transport: "http", endpoint: server.url }, options);
  return { gateway, asked: async () => Promise.resolve(server.requests.method("resources/read")) };
}

/** The same over stdio, where the gateway's own count must do. */
async function overStdio(isolation?: "session") {
  const entry = { name: "docs", command: process.execPath, args: [stdioMainPath, "--era", "modern"] };
  const gateway = await gatewayOver({ ...entry, ...(isolation === undefined ? {} : { isolation }) });
  return { gateway, asked: async () => metric(gateway, "brainwav_mcp_cache_misses_total") };
}

async function gatewayOver(...[entry, options]: [Parameters<typeof startTestGateway>[0][number], object?]) {
  const gateway = await startTestGateway([entry], options);
  onTestFinished(async () => gateway.close());
  return gateway;
}

async function metric({ url }: TestGateway, name: string): Promise<number> {
  const text = await (await fetch(new URL("/metrics", url))).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

async function legacyClient({ url }: TestGateway) {
  const client = new LegacySdkClient({ name: "cache-test", version: "1.0.0" });
  const transport = new LegacySdkHttp(new URL(url));
  const updated: string[] = [];
  client.fallbackNotificationHandler = async ({ method, params }) => {
    if (method === "notifications/resources/updated") updated.push(String(params?.["uri"]));
    await Promise.resolve();
  };
  await client.connect(transport);
  onTestFinished(async () => {
    await transport.terminateSession();
    await client.close();
  });
  return { client, updated, read: async (uri: string) => client.readResource({ uri }) };
}

const modernRead = async ({ url }: TestGateway, uri: string) => {
  const { message } = await modernPost(url, "resources/read", { uri });
  return message["result"] as { contents: unknown; ttlMs: number; cacheScope: string; resultType: string };
};

const UPSTREAMS = [
  ["over HTTP", async () => overHttp()],
  ["over stdio", async () => overStdio()],
] as const;

test.each(UPSTREAMS)(
  "%s: ten clients of both eras read a public resource, and its server is asked once",
  async (_, up) => {
    const { gateway, asked } = await up();
    const legacy = await Promise.all(Array.from({ length: 5 }, async () => legacyClient(gateway)));
    // A legacy client is the first.
    const first = await legacy[0]?.read(HELLO);
    expect(first).toMatchObject({
      contents: [{ uri: HELLO, mimeType: "text/plain", text: "hello from cortex-fixture" }],
    });
    for (const { read } of legacy) expect(await read(HELLO)).toEqual(first);
    for (let client = 0; client < 5; client += 1) {
      const result = await modernRead(gateway, HELLO);
      expect(result).toMatchObject({ resultType: "complete", contents: first?.contents, cacheScope: "public" });
      expect(result.ttlMs).toBeGreaterThan(0);
      expect(result.ttlMs).toBeLessThanOrEqual(60_000);
    }
    expect(await asked()).toBe(1);
    expect(await metric(gateway, "brainwav_mcp_cache_hits_total")).toBe(10);
  },
);

test.each(UPSTREAMS)(
  "%s: what is private is read once for a principal, and what has no time to live each time",
  async (_, up) => {
    const { gateway, asked } = await up();
    const { read } = await legacyClient(gateway);
    for (let round = 0; round < 3; round += 1) {
      expect(await modernRead(gateway, PRIVATE)).toMatchObject({ cacheScope: "private" });
      await read(PRIVATE);
    }
    expect(await asked()).toBe(1);
    for (let round = 0; round < 3; round += 1) await modernRead(gateway, COUNTER);
    expect(await asked()).toBe(4);
  },
);

test("a process of each session's own is asked by each session, although it says public", async () => {
  const { gateway, asked } = await overStdio("session");
  const clients = await Promise.all(Array.from({ length: 3 }, async () => legacyClient(gateway)));
  for (const { read } of [...clients, ...clients]) await read(HELLO);
  expect(await asked()).toBe(3);
});

test.each(UPSTREAMS)(
  "%s: whoever hears that a resource changed reads it anew, and so does everybody else",
  async (_, up) => {
    const { gateway, asked } = await up();
    const { client, updated, read } = await legacyClient(gateway);
    await client.subscribeResource({ uri: HELLO });
    await read(HELLO);
    await modernRead(gateway, HELLO);
    expect(await asked()).toBe(1);
    await client.callTool({ name: TOUCH, arguments: { uri: HELLO } });
    await vi.waitFor(() => expect(updated).toEqual([HELLO]));
    await modernRead(gateway, HELLO);
    await read(HELLO);
    expect(await asked()).toBe(2);
  },
);

test.each(UPSTREAMS)("%s: another list of resources makes what was read old", async (_, up) => {
  const { gateway, asked } = await up();
  const { client } = await legacyClient(gateway);
  await modernRead(gateway, HELLO);
  await client.callTool({ name: "docs__toggle-resource", arguments: { name: "new", present: true } });
  await vi.waitFor(async () => {
    await modernRead(gateway, HELLO);
    expect(await asked()).toBe(2);
  });
});

test("a connector that is put in another's place answers for itself; with the cache turned off each read is asked", async () => {
  const { gateway, asked } = await overHttp({});
  await modernRead(gateway, HELLO);
  const other = await startFixtureHttp({ era: "modern" });
  onTestFinished(async () => other.close());
  await gateway.writeRegistry([{ name: "docs", transport: "http", endpoint: other.url }]);
  await gateway.gateway.reloadAll();
  await modernRead(gateway, HELLO);
  expect([await asked(), other.requests.method("resources/read")]).toEqual([1, 1]);
  gateway.gateway.reconfigure({ cache: { bytes: 0 } });
  for (let round = 0; round < 2; round += 1) expect((await modernRead(gateway, HELLO)).ttlMs).toBe(60_000);
  expect(other.requests.method("resources/read")).toBe(3);
});
