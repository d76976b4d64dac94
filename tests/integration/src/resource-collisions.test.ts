import { startFixtureHttp } from "@cortex-os/fixture-server";
import {
  Client as ModernSdkClient,
  StreamableHTTPClientTransport as ModernSdkHttp,
} from "@modelcontextprotocol/client";
import { Client as LegacySdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacySdkHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTestGateway } from "./support/test-gateway.js";

const INFO = { name: "collisions", version: "1" };
const SHARED = "fixture://common/shared";
const ours = (key: string): string => `cortex://${key}/${encodeURIComponent(SHARED)}`;

/** Two servers that have one URI in common, behind one gateway. */
async function twoServers(): Promise<string> {
  const servers = await Promise.all(
    ["left", "right"].map(async (name) => ({ name, server: await startFixtureHttp({ name, commonResources: true }) })),
  );
  onTestFinished(async () => {
    await Promise.all(servers.map(async ({ server }) => server.close()));
  });
  const gateway = await startTestGateway(servers.map(({ name, server }) => ({ name, endpoint: server.url })));
  onTestFinished(async () => gateway.close());
  return gateway.url;
}

const CLIENTS = {
  "v1 SDK": async (url: string) => {
    const client = new LegacySdkClient(INFO);
    await client.connect(new LegacySdkHttp(new URL(url)));
    return client;
  },
  "v2 SDK": async (url: string) => {
    const client = new ModernSdkClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new ModernSdkHttp(new URL(url)));
    return client;
  },
};

describe.each(Object.entries(CLIENTS))("R22: a URI that two connectors have, for the %s", (_name, connect) => {
  test("is listed with whose it is, read from the one that is named, and refused without", async () => {
    const client = await connect(await twoServers());
    onTestFinished(async () => client.close());
    const { resources } = await client.listResources();
    const uris = resources.map(({ uri }) => uri);
    expect(uris).toEqual(expect.arrayContaining([ours("left"), ours("right"), "fixture://left/hello"]));
    expect(uris).not.toContain(SHARED);
    for (const key of ["left", "right"]) {
      const { contents } = await client.readResource({ uri: ours(key) });
      expect(JSON.stringify(contents)).toContain(key);
    }
    await expect(client.readResource({ uri: SHARED })).rejects.toMatchObject({
      code: -32_602,
      message: expect.stringContaining(ours("left")) as string,
    });
  });
});
