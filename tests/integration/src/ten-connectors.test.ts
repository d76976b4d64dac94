import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { startFixtureHttp, type FixtureHttp } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { connectLegacyClient, connectModernClient } from "./support/real-clients.js";
import { startTestGateway } from "./support/test-gateway.js";
import { freePort } from "./support/running-upstream.js";

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function fixture(port = 0): Promise<FixtureHttp> {
  const server = await startFixtureHttp({ era: "both", port });
  cleanups.push(async () => server.close());
  return server;
}

/** Accepts connections and never says a word. */
async function silentServer(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
  cleanups.push(stop);
  return { port: address.port, stop };
}

const entry = (name: string, port: number): ServerInfo => ({
  name,
  transport: "http",
  endpoint: `http://127.0.0.1:${port}/mcp`,
  timeouts: { connectMs: 1_000 },
});

describe("ten connectors, one refusing and one never answering (R6, R8, R22)", () => {
  test("eight are listed and callable meanwhile, and both heal when they come back", async () => {
    const good = await Promise.all(Array.from({ length: 8 }, async () => fixture()));
    const refusing = await freePort();
    const silent = await silentServer();
    const gateway = await startTestGateway([
      ...good.map(({ port }, at) => entry(`good${at}`, port)),
      entry("refusing", refusing),
      entry("silent", silent.port),
    ]);
    cleanups.push(async () => gateway.close());
    const client = await connectModernClient(gateway.url);
    cleanups.push(async () => client.close());

    const listed = new Set((await client.tools()).map((name) => name.split("__")[0]));
    expect(listed).toEqual(new Set(good.map((_, at) => `good${at}`)));
    for (const at of good.keys()) {
      expect(await client.call(`good${at}__echo`, { message: "hi" })).toMatchObject({ text: "hi", isError: false });
    }
    await expect(client.call("refusing__echo", { message: "hi" })).rejects.toMatchObject({ code: -31_001 });
    await vi.waitFor(
      () => {
        const reasons = new Map(gateway.gateway.status().connectors.map(({ key, state }) => [key, state]));
        expect([reasons.get("refusing"), reasons.get("silent")]).toEqual(["down", "down"]);
      },
      { timeout: 5_000 },
    );
    const told = vi.fn<() => void>();
    await client.onToolsChanged(told);

    await fixture(refusing);
    await silent.stop();
    await fixture(silent.port);
    await vi.waitFor(
      async () => {
        expect(await client.call("refusing__echo", { message: "back" })).toMatchObject({ text: "back" });
        expect(await client.call("silent__echo", { message: "back" })).toMatchObject({ text: "back" });
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(told).toHaveBeenCalled();
  });
});

describe("an upstream that restarts and forgets its sessions (R8)", () => {
  test.each([
    ["a client of the legacy era", connectLegacyClient],
    ["a client of the modern era", connectModernClient],
  ] as const)("is called again by %s with no new client", async (_name, connect) => {
    const first = await startFixtureHttp({ era: "legacy" });
    const gateway = await startTestGateway([entry("restarting", first.port)]);
    cleanups.push(async () => gateway.close());
    const client = await connect(gateway.url);
    cleanups.push(async () => client.close());
    expect(await client.call("restarting__echo", { message: "before" })).toMatchObject({ text: "before" });

    await first.close();
    const second = await startFixtureHttp({ era: "legacy", port: first.port });
    cleanups.push(async () => second.close());
    const back = performance.now();
    await vi.waitFor(
      async () => {
        expect(await client.call("restarting__echo", { message: "after" })).toMatchObject({ text: "after" });
      },
      { timeout: 10_000, interval: 5 },
    );
    process.stdout.write(`called again ${Math.round(performance.now() - back)} ms after the upstream was back\n`);
  });

  test("forgetting alone is not even noticed", async () => {
    const server = await startFixtureHttp({ era: "legacy" });
    cleanups.push(async () => server.close());
    const gateway = await startTestGateway([entry("forgetful", server.port)]);
    cleanups.push(async () => gateway.close());
    const client = await connectLegacyClient(gateway.url);
    cleanups.push(async () => client.close());
    expect(await client.call("forgetful__echo", { message: "before" })).toMatchObject({ text: "before" });
    server.forgetSessions();
    expect(await client.call("forgetful__echo", { message: "after" })).toMatchObject({ text: "after" });
  });
});
