import { startFixtureHttp } from "@cortex-os/fixture-server";
import {
  Client as ModernSdkClient,
  StreamableHTTPClientTransport as ModernSdkHttp,
} from "@modelcontextprotocol/client";
import { Client as LegacySdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacySdkHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { CALLED, CONTENTS, PAGE, RESOURCES, SAID, startAppsUpstream, TOOLS } from "./support/apps-upstream.js";
import { REAL_CLIENTS } from "./support/real-clients.js";
import { startTestGateway, type TestGateway } from "./support/test-gateway.js";

/** A gateway in front of the same server of each era, whose page therefore has one address twice. */
async function twoClocks(): Promise<TestGateway> {
  const clocks = await Promise.all((["modern", "legacy"] as const).map(startAppsUpstream));
  onTestFinished(async () => {
    await Promise.all(clocks.map(async (clock) => clock.close()));
  });
  const gateway = await startTestGateway(
    clocks.map(({ url }, at) => ({ name: at === 0 ? "modern" : "legacy", transport: "http", endpoint: url })),
  );
  onTestFinished(async () => gateway.close());
  return gateway;
}

const INFO = { name: "one-connector", version: "1" };
const CLIENTS = {
  "v1 SDK, 2025-11-25": async (url: string) => {
    const client = new LegacySdkClient(INFO);
    await client.connect(new LegacySdkHttp(new URL(url)));
    return client;
  },
  "v2 SDK, 2026-07-28": async (url: string) => {
    const client = new ModernSdkClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new ModernSdkHttp(new URL(url)));
    return client;
  },
};

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** The result of one request of 2026-07-28, as it came over the wire. */
async function ask(url: string, method: string, params: object = {}, name?: string): Promise<unknown> {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    ...(name === undefined ? {} : { "mcp-name": name }),
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } });
  const response = await fetch(url, { method: "POST", headers, body });
  return ((await response.json()) as { readonly result?: unknown }).result;
}

describe.each(["modern", "legacy"])("MCP Apps and unknown extensions of a %s server, at its own address", (key) => {
  test("what it says of itself comes as it was said", async () => {
    const { url } = await twoClocks();
    const { serverInfo, ...rest } = SAID;
    expect(await ask(`${url}/-/${key}`, "server/discover")).toMatchObject({
      ...rest,
      resultType: "complete",
      supportedVersions: ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
      _meta: { "io.modelcontextprotocol/serverInfo": serverInfo, "com.example/own": true },
      cacheScope: key === "modern" ? "private" : "public",
      "x-own": [1],
    });
  });

  test("lists, pages and results come to the last member as they are", async () => {
    const { url } = await twoClocks();
    const own = `${url}/-/${key}`;
    expect(await ask(own, "tools/list")).toMatchObject({ tools: TOOLS });
    expect(await ask(own, "resources/list")).toMatchObject({ resources: RESOURCES });
    expect(await ask(own, "resources/read", { uri: PAGE }, PAGE)).toMatchObject({ contents: CONTENTS });
    const called = await ask(own, "tools/call", { name: "show_clock", arguments: {} }, "show_clock");
    expect(called).toEqual({ resultType: "complete", ...CALLED });
  });

  test.each(Object.entries(CLIENTS))("a host finds a tool's page and reads it, with the %s", async (_sdk, connect) => {
    const { url } = await twoClocks();
    const client = await connect(`${url}/-/${key}`);
    onTestFinished(async () => client.close());
    expect(client.getServerVersion()).toEqual(SAID.serverInfo);
    expect(client.getInstructions()).toBe(SAID.instructions);
    expect(client.getServerCapabilities()).toEqual(SAID.capabilities);
    const { tools } = await client.listTools();
    const ui = tools.find(({ name }) => name === "show_clock")?._meta?.["ui"] as { resourceUri: string };
    const { contents } = await client.readResource({ uri: ui.resourceUri });
    expect(contents).toEqual(CONTENTS);
  });
});

describe("MCP Apps through the address of all", () => {
  test("tools keep their `_meta`; a page that two servers have is listed under two addresses, and read by those", async () => {
    const { url } = await twoClocks();
    const { tools } = (await ask(url, "tools/list")) as { readonly tools: readonly Record<string, unknown>[] };
    expect(tools).toContainEqual({ ...TOOLS[1], name: "modern__show_clock" });
    const { resources } = (await ask(url, "resources/list")) as { readonly resources: readonly unknown[] };
    const page = `cortex://modern/${encodeURIComponent(PAGE)}`;
    expect(resources).toContainEqual({ ...RESOURCES[0], uri: page });
    expect(await ask(url, "resources/read", { uri: page }, page)).toMatchObject({ contents: CONTENTS });
    // The tool still names the server's own address, which is not enough to tell the two apart.
    expect(await ask(url, "resources/read", { uri: PAGE }, PAGE)).toBeUndefined();
  });
});

describe.each(Object.entries(REAL_CLIENTS))("at a connector's own address the %s client", (_sdk, connect) => {
  test.each(["modern", "legacy"] as const)(
    "works as with the %s server itself, and hears of its changes alone",
    async (era) => {
      const fixtures = await Promise.all([
        ...["a", "b"].map(async (name) => startFixtureHttp({ name, era })),
        startFixtureHttp({ name: "a" }),
      ]);
      onTestFinished(async () => {
        await Promise.all(fixtures.map(async (fixture) => fixture.close()));
      });
      const { url, close } = await startTestGateway(
        ["a", "b"].map((name, at) => ({ name, transport: "http", endpoint: fixtures[at]?.url })),
      );
      onTestFinished(close);
      const [own, other, direct] = await Promise.all([`${url}/-/a`, `${url}/-/b`, fixtures[2]?.url ?? ""].map(connect));
      if (own === undefined || other === undefined || direct === undefined) throw new Error("not connected");
      onTestFinished(async () => {
        await Promise.all([own.close(), other.close(), direct.close()]);
      });
      expect((await own.tools()).toSorted()).toEqual((await direct.tools()).toSorted());
      expect(await own.call("echo", { message: "hi" })).toEqual(await direct.call("echo", { message: "hi" }));
      const progress: number[] = [];
      await own.call("slow", { ms: 50 }, { onProgress: (value) => progress.push(value) });
      expect(progress.length).toBeGreaterThan(0);
      const heard = { own: 0, other: 0 };
      await own.onToolsChanged(() => (heard.own += 1));
      await other.onToolsChanged(() => (heard.other += 1));
      await own.call("toggle", { name: "extra", present: true });
      await vi.waitFor(() => expect(heard.own).toBe(1));
      expect(await own.tools()).toContain("extra");
      expect(heard.other).toBe(0);
    },
  );
});
