import { startFixtureHttp, type FixtureHttp } from "@cortex-os/fixture-server";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { RemoteToolProxy } from "@cortex-os/mcp-bridge";
import type { PublishedConnector } from "@cortex-os/protocol";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { failOnLeaks, startUpstream } from "../../__tests__/support/gateway.js";
import { memoryServiceMapStore } from "../map/service-map-store.js";
import { entriesFor, manage, publish } from "./manager-http-set-up.js";
import { entryOf, ids } from "./manager-set-up.js";

failOnLeaks();

/** Takes connections and never says a word. */
async function startMute(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}/mcp`;
}

/** An address where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = await startFixtureHttp();
  await server.close();
  return server.url;
}

describe("R6: the manager over real HTTP, a real signed map and real upstreams", () => {
  test("a call in flight outlives its connector's change and removal, new calls go to the successor at once; disconnect() ends it", async () => {
    const upstream = await startUpstream();
    const entry = entryOf("c0", { endpoint: upstream.url });
    const { url, change } = await publish(entry, entryOf("other", { endpoint: upstream.url }));
    const { manager, registry, logger } = manage(url);
    await manager.sync();
    const slow = async (ms: number): Promise<unknown> => registry.get("c0__slow").handler({ ms });
    const inFlight = async (calls: number): Promise<void> =>
      vi.waitFor(() => {
        expect(upstream.calls.started).toBe(calls);
      });
    const first = slow(400);
    await inFlight(1);
    await change({ ...entry, version: "2.0.0" }, entryOf("other", { endpoint: upstream.url }));
    await manager.sync(true);
    expect(logger.messages("info")).toContain("Connector changed");
    const second = slow(400);
    await inFlight(2);
    const { handler } = registry.get("c0__slow");
    await change(entryOf("other", { endpoint: upstream.url }));
    await manager.sync(true);
    await expect(handler({ ms: 0 })).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    const answered = { content: [expect.objectContaining({ type: "text" }) as unknown] };
    expect(await Promise.all([first, second])).toEqual([
      expect.objectContaining(answered),
      expect.objectContaining(answered),
    ]);
    const cut = expect(registry.get("other__slow").handler({ ms: 60_000 })).rejects.toThrow("is being closed");
    await inFlight(3);
    await change(entryOf("fresh", { endpoint: upstream.url }));
    await manager.sync(true);
    await manager.disconnect();
    await cut;
  });

  test("ten connectors, one dead and one that hangs: eight are served, and sync() is over when the one that hangs had its time", async () => {
    const upstreams = await Promise.all(ids(8).map(async () => startUpstream()));
    const { url } = await publish(
      entryOf("dead", { endpoint: await deadUrl() }),
      entryOf("mute", { endpoint: await startMute(), timeouts: { connectMs: 300 } }),
      ...entriesFor(upstreams),
    );
    const { manager, registry, logger, connectorsOfTools } = manage(url);
    await manager.sync();
    expect(connectorsOfTools()).toEqual(ids(8));
    expect(manager.listConnectors()).toHaveLength(10);
    const failed = logger.lines.filter(({ message }) => message === "Connector sync failed");
    expect(failed.map(({ fields }) => String(fields["connectorId"])).toSorted()).toEqual(["dead", "mute"]);
    expect(failed.every(({ fields }) => fields["brand"] === "brAInwav" && fields["err"] instanceof Error)).toBe(true);
    expect(JSON.stringify(logger.lines)).not.toContain("connectors-key");

    const { handler } = registry.get("c3__echo");
    expect(await handler({ message: "hello" })).toMatchObject({ content: [{ type: "text", text: "hello" }] });
    expect(upstreams[3]?.calls.completed).toBe(1);
  });

  test("a changed map: what left goes, what is new comes, and what stays keeps its session", async () => {
    const [gone, kept, fresh] = await Promise.all([
      startUpstream({ era: "legacy" }),
      startUpstream({ era: "legacy" }),
      startUpstream({ era: "legacy" }),
    ]);
    const entry = (id: string, upstream: FixtureHttp): PublishedConnector => entryOf(id, { endpoint: upstream.url });
    const publisher = await publish(entry("gone", gone), entry("kept", kept));
    const { manager, connectorsOfTools } = manage(publisher.url);
    await manager.sync();
    expect(connectorsOfTools()).toEqual(["gone", "kept"]);
    expect(kept.requests.method("initialize")).toBe(1);
    await publisher.change(entry("fresh", fresh), entry("kept", kept));
    await manager.sync(true);
    expect(connectorsOfTools()).toEqual(["fresh", "kept"]);
    expect(kept.requests.method("initialize")).toBe(1);
    await vi.waitFor(() => {
      expect([gone.sessions, kept.sessions, fresh.sessions]).toEqual([0, 1, 1]);
    });
    await manager.disconnect();
    expect([kept.sessions, fresh.sessions]).toEqual([0, 0]);
  });

  test("the publisher goes away: what it named goes on being served, also to a forced sync()", async () => {
    const upstream = await startUpstream();
    const publisher = await publish(entryOf("c0", { endpoint: upstream.url }));
    const { manager, registry, logger } = manage(publisher.url);
    await manager.sync();
    await publisher.close();
    await manager.sync(true);
    expect(logger.messages("warn")).toEqual(["Refresh failed"]);
    expect(await registry.get("c0__echo").handler({ message: "still" })).toMatchObject({
      content: [{ text: "still" }],
    });
  });

  test("a map that removes most connectors is held: the one in force goes on, unless that is turned off", async () => {
    const upstreams = await Promise.all(ids(4).map(async () => startUpstream()));
    const entries = entriesFor(upstreams);
    const publisher = await publish(...entries);
    const cautious = manage(publisher.url);
    const trusting = manage(publisher.url, { holdRemovals: false });
    await Promise.all([cautious.manager.sync(), trusting.manager.sync()]);
    await publisher.change(...entries.slice(0, 1));
    await Promise.all([cautious.manager.sync(true), trusting.manager.sync(true)]);
    expect(cautious.connectorsOfTools()).toEqual(ids(4));
    expect(trusting.connectorsOfTools()).toEqual(["c0"]);
  });

  test("a map that another key signed is not used, and the error names neither key", async () => {
    const publisher = await publish(entryOf("c0"));
    const { manager, registry } = manage(publisher.url, { signatureKey: "quite another key of thirty-two bytes" });
    const failure = await manager.sync().catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "ConnectorManifestError", rule: "signature" });
    expect(String(failure)).not.toContain("thirty-two");
    expect(registry.registered).toEqual([]);
  });

  test("a connector that was away heals by itself when it comes back", async () => {
    const away = await startFixtureHttp();
    await away.close();
    const { url } = await publish(entryOf("c0", { endpoint: away.url }));
    const { manager, connectorsOfTools } = manage(url);
    await manager.sync();
    expect(connectorsOfTools()).toEqual([]);
    await startUpstream({ port: away.port });
    await vi.waitFor(
      () => {
        expect(connectorsOfTools()).toEqual(["c0"]);
      },
      { timeout: 20_000 },
    );
  });

  test("a caller's factory may make RemoteToolProxy of the options as they are", async () => {
    const upstream = await startUpstream();
    const { url } = await publish(entryOf("c0", { endpoint: upstream.url }));
    const { manager, registry } = manage(url, { createProxy: (options) => new RemoteToolProxy(options) });
    await manager.sync();
    expect(await registry.get("c0__echo").handler({ message: "x" })).toMatchObject({ content: [{ text: "x" }] });
  });

  test("disconnect in the middle of a sync, not waited for, ends every connection", async () => {
    const { url } = await publish(
      ...(await Promise.all(ids(3).map(async (id) => entryOf(id, { endpoint: await startMute() })))),
    );
    const { manager } = manage(url);
    const syncing = manager.sync();
    await vi.waitFor(() => {
      expect(manager.listConnectors()).toHaveLength(3);
    });
    void manager.disconnect();
    await syncing;
  });

  test("one agent of undici's is used for the map and for every connector, and is closed at the end", async () => {
    const dispatched = vi.spyOn(Agent.prototype, "dispatch");
    const upstreams = await Promise.all(ids(2).map(async () => startUpstream()));
    const { url } = await publish(...entriesFor(upstreams));
    const { manager } = manage(url);
    await manager.sync();
    const agents = new Set(dispatched.mock.contexts);
    const origins = new Set(dispatched.mock.calls.map(([{ origin }]) => String(origin)));
    expect(origins).toEqual(
      new Set([url, ...upstreams.map((upstream) => upstream.url)].map((it) => new URL(it).origin)),
    );
    expect(agents.size).toBe(1);
    await manager.disconnect();
    const [agent] = agents;
    expect(agent).toMatchObject({ destroyed: true });
  });

  test("a dozen connectors at one origin, each with a stream that stays open, leave room for the calls", async () => {
    const upstream = await startUpstream({ era: "legacy" });
    const { url } = await publish(...ids(12).map((id) => entryOf(id, { endpoint: upstream.url })));
    const { manager, registry } = manage(url);
    await manager.sync();
    await vi.waitFor(() => {
      expect(upstream.streams).toBe(12);
    });
    const answers = await Promise.all(ids(12).map(async (id) => registry.get(`${id}__echo`).handler({ message: id })));
    expect(answers).toMatchObject(ids(12).map((text) => ({ content: [{ text }] })));
  });

  test("with a store, a restart while the publisher is away serves what was accepted before", async () => {
    const upstream = await startUpstream();
    const publisher = await publish(entryOf("c0", { endpoint: upstream.url }));
    const store = memoryServiceMapStore();
    const before = manage(publisher.url, { store });
    await before.manager.sync();
    await before.manager.disconnect();
    await publisher.close();
    const after = manage(publisher.url, { store });
    await after.manager.sync();
    expect(after.connectorsOfTools()).toEqual(["c0"]);
    const none = manage(publisher.url);
    await expect(none.manager.sync()).rejects.toMatchObject({ name: "ConnectorManifestError", rule: "network" });
  });
});
