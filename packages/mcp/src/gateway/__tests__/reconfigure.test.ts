import { describe, expect, test, vi } from "vitest";
import type { ConnectorSpec } from "@cortex-os/mcp-core";
import {
  answerOf,
  askModern,
  failOnLeaks,
  initialize,
  rawModern,
  specAt,
  startServed,
  startUpstream,
  StaticSource,
} from "../../__tests__/support/gateway.js";
import { RawConnection } from "../../__tests__/support/http.js";
import type { ConnectorSource } from "../../connectors/connector-source.js";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { entryAt, followed, Publisher } from "../../connectors/map/__tests__/published-map.js";
import type { ConfigurationChange } from "../reload-report.js";

failOnLeaks();

const LIST_CHANGED = /notifications\/tools\/list_changed/g;

/** Two clients that listen for changes: one of each era. */
async function listeners(port: number): Promise<readonly RawConnection[]> {
  const modern = await RawConnection.open(port);
  modern.write(rawModern("subscriptions/listen", { notifications: { toolsListChanged: true } }, "sub"));
  await modern.until(/acknowledged/);
  const { headers } = await initialize(port);
  const legacy = await RawConnection.open(port);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  legacy.write(["GET /mcp HTTP/1.1", "host: localhost", "accept: text/event-stream", ...lines, "", ""].join("\r\n"));
  await legacy.until(/200 OK/);
  return [modern, legacy];
}

/** A service map's source over these connectors. */
function mapSource(specs: readonly ConnectorSpec[]): ConnectorSource {
  const source = new StaticSource(specs.map((spec) => ({ ...spec, source: "map" })));
  return {
    origin: "map",
    start: async (listener) => source.start(listener),
    reload: async () => source.reload(),
    close: async () => source.close(),
  };
}

/** A call that is running at its upstream when this resolves. */
async function runningCall(port: number, upstream: Awaited<ReturnType<typeof startUpstream>>, name: string) {
  const before = upstream.requests.method("tools/call");
  const answer = askModern(port, "tools/call", { name, arguments: { ms: 400 } });
  await vi.waitFor(() => expect(upstream.requests.method("tools/call")).toBe(before + 1));
  return async () => {
    const { result } = answerOf(await answer);
    return JSON.stringify(result);
  };
}

describe("a gateway that is configured anew while it runs (issue 4, hot reload)", () => {
  test("other names reach clients of both eras as a change; a call that runs through the renaming completes", async () => {
    const upstream = await startUpstream();
    const { gateway, port } = await startServed([specAt("a", upstream.url)]);
    const clients = await listeners(port);
    const call = await runningCall(port, upstream, "a__slow");
    gateway.reconfigure({ names: { separator: "." } });
    for (const client of clients) await client.until(LIST_CHANGED);
    const names = gateway.tools().map(({ name }) => name);
    expect(names).toContain("a.echo");
    expect(names).not.toContain("a__echo");
    expect((await askModern(port, "tools/call", { name: "a.echo", arguments: { message: "new" } })).text).toContain(
      "new",
    );
    expect(answerOf(await askModern(port, "tools/call", { name: "a__echo", arguments: {} }))["error"]).toMatchObject({
      code: -32_602,
    });
    expect(await call()).toContain("took 400 ms");
  });

  test("a call that runs through the removal of its connector completes, and so does one through a replaced service map", async () => {
    const [own, mapped] = [await startUpstream(), await startUpstream()];
    const registry = new StaticSource([specAt("own", own.url)]);
    const sources = [registry, mapSource([specAt("mapped", mapped.url)])];
    const { gateway, port } = await startServed([], { sources });
    const clients = await listeners(port);
    const calls = [await runningCall(port, own, "own__slow"), await runningCall(port, mapped, "mapped__slow")];
    registry.name([]);
    await gateway.followServiceMap(undefined);
    for (const client of clients) await client.until(LIST_CHANGED);
    await vi.waitFor(() => expect(gateway.tools()).toEqual([]));
    for (const call of calls) expect(await call()).toContain("took 400 ms");
  });

  test("how long lists may be kept and how long a page is take effect at once, also in server/discover", async () => {
    const upstream = await startUpstream();
    const { gateway, port } = await startServed([specAt("a", upstream.url)]);
    gateway.reconfigure({ lists: { ttlMs: 1_234, pageSize: 2 } });
    const { result } = answerOf(await askModern(port, "tools/list")) as { result: { tools: unknown[]; ttlMs: number } };
    expect(result).toMatchObject({ ttlMs: 1_234, nextCursor: expect.any(String) });
    expect(result.tools).toHaveLength(2);
    expect((await askModern(port, "server/discover")).text).toContain('"ttlMs":1234');
  });

  test("an unknown tool of a connector that is down is explained with the separator that is in force", async () => {
    const { gateway, port } = await startServed([specAt("a", "http://127.0.0.1:9/mcp")]);
    await vi.waitFor(() => expect(gateway.status().connectors).toMatchObject([{ state: "down" }]));
    gateway.reconfigure({ names: { separator: "." } });
    expect((await askModern(port, "tools/call", { name: "a.x", arguments: {} })).text).toContain(
      'connector \\"a\\" is down',
    );
    gateway.reconfigure({ names: { prefix: "never" } });
    expect((await askModern(port, "tools/call", { name: "a.x", arguments: {} })).text).toContain("Unknown tool");
  });

  test("a service map that comes or goes is in the status and in the metrics, and the registry's connectors keep their connections", async () => {
    const [own, mapped] = [await startUpstream(), await startUpstream()];
    const { gateway, metrics } = await startServed([specAt("own", own.url)]);
    const [before] = gateway.status().connectors;
    expect(gateway.serviceMap).toBeUndefined();
    const time = new ManualTime();
    const publisher = await Publisher.start(time, [entryAt("mapped", mapped.url)]);
    const allowedOrigins = [new URL(mapped.url).origin];
    const next = followed(publisher.url, time, { origins: { allowedOrigins } });
    await gateway.followServiceMap(next);
    await vi.waitFor(() => expect(gateway.status().connectors).toMatchObject([{ key: "mapped", state: "up" }, before]));
    expect(gateway.serviceMap).toBe(next.follower);
    expect(gateway.status().serviceMap).toBeDefined();
    gateway.measure();
    expect(await metrics.exposition()).toMatch(/^brainwav_mcp_service_map_stale \d/m);
    await gateway.followServiceMap(undefined);
    expect(gateway.status().serviceMap).toBeUndefined();
    gateway.measure();
    expect(await metrics.exposition()).not.toMatch(/^brainwav_mcp_service_map_stale \d/m);
    await vi.waitFor(() => expect(gateway.status().connectors).toEqual([before]));
    expect(own.requests.method("server/discover")).toBe(1);
  });

  test("a problem around it is in its status, and listeners hear when it comes and goes", async () => {
    const { gateway } = await startServed([]);
    let heard = 0;
    gateway.onChange(() => (heard += 1));
    gateway.setProblem("configuration", "it is refused");
    expect(gateway.status().problems).toEqual(["it is refused"]);
    // An operator's matter: clients are served as ever.
    expect(gateway.isReady).toBe(true);
    gateway.setProblem("configuration", undefined);
    expect(gateway.status().problems).toEqual([]);
    expect(heard).toBe(2);
  });
});

describe("reloading everything by hand", () => {
  test("reads configuration and sources, waits for what is new, and tells what came of it", async () => {
    const [a, b, c] = [await startUpstream(), await startUpstream(), await startUpstream()];
    const source = new StaticSource([specAt("a", a.url), specAt("b", b.url), specAt("c", c.url)]);
    const change: ConfigurationChange = { changed: ["names.separator"], needRestart: ["port"] };
    const configuration = { reload: async () => Promise.resolve(change) };
    const { gateway } = await startServed([], { sources: [source], configuration });
    const before = gateway.tools().length;
    const reload = source.reload.bind(source);
    source.reload = async () => {
      source.name([specAt("a", a.url), { ...specAt("b", b.url), version: "2" }, specAt("d", c.url)]);
      await reload();
    };
    const report = await gateway.reloadAll();
    expect(report).toEqual({
      configuration: change,
      connectors: { added: ["d"], removed: ["c"], changed: ["b"], unchanged: ["a"] },
      tools: { before, after: before },
      problems: [],
    });
  });

  test("with a fixed configuration there is nothing to say about it", async () => {
    const { gateway, source } = await startServed([]);
    const report = await gateway.reloadAll();
    expect(report.configuration).toEqual({ changed: [], needRestart: [] });
    expect(source.reloads).toBe(2);
  });

  test("a configuration that is refused fails it, and no source is read", async () => {
    const configuration = { reload: async () => Promise.reject(new Error("refused")) };
    const { gateway, source } = await startServed([], { configuration });
    await expect(gateway.reloadAll()).rejects.toThrow("refused");
    expect(source.reloads).toBe(1);
  });
});
