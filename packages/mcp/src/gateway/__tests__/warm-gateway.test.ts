import { createServer } from "node:net";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { silentLogger, systemTimers, type ConnectorSpec } from "@cortex-os/mcp-core";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  answerOf,
  askModern,
  failOnLeaks,
  initialize,
  specAt,
  startServed,
  startUpstream,
  type RunningGateway,
} from "../../__tests__/support/gateway.js";
import { fileCatalogStore } from "../../connectors/warm/file-catalog-store.js";

failOnLeaks();

/** A folder for the stored catalog, gone after the test. */
async function stateFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-warm-"));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

const storeIn = (folder: string) => fileCatalogStore({ folder, logger: silentLogger, timers: systemTimers });

/** Runs a gateway until every connector is up and what they offer is stored. */
async function runOnce(folder: string, specs: readonly ConnectorSpec[]): Promise<string> {
  const { gateway, port } = await startServed(specs, { catalogStore: storeIn(folder) });
  const { text } = await askModern(port, "tools/list");
  expect(gateway.status().connectors.every(({ state }) => state === "up")).toBe(true);
  await gateway.close();
  return text;
}

/** Accepts connections and never says a word; ends with the test. */
async function deafServer(port: number): Promise<void> {
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    await Promise.resolve();
  });
}

const stateOf = ({ gateway }: Pick<RunningGateway, "gateway">, key: string): string | undefined =>
  gateway.status().connectors.find((connector) => connector.key === key)?.state;

test("after a restart the list has the same bytes, before anything is connected, in both eras (R23)", async () => {
  const upstream = await startUpstream();
  const folder = await stateFolder();
  const specs = [specAt("files", upstream.url), specAt("more", upstream.url)];
  const before = await runOnce(folder, specs);
  await upstream.close();

  const { gateway, port } = await startServed(specs, { catalogStore: storeIn(folder) });
  expect(gateway.isReady).toBe(true);
  expect((await askModern(port, "tools/list")).text).toBe(before);
  const legacy = await initialize(port);
  const { tools } = answerOf(await legacy.request(1, "tools/list"))["result"] as { tools: unknown };
  expect(tools).toEqual((JSON.parse(before) as { result: { tools: unknown } }).result.tools);
  await vi.waitFor(() => expect(stateOf({ gateway }, "files")).toBe("down"));
  expect((await askModern(port, "tools/list")).text).toBe(before);
  const failed = answerOf(await askModern(port, "tools/call", { name: "files__echo", arguments: { message: "x" } }));
  expect(failed["error"]).toMatchObject({ code: -31_001 });
});

test("after a restart a connector's own address tells what it was, before it is connected and while it is away (R23)", async () => {
  const upstream = await startUpstream();
  const folder = await stateFolder();
  const specs = [specAt("files", upstream.url)];
  const own = "/mcp/-/files";
  const first = await startServed(specs, { catalogStore: storeIn(folder) });
  const tell = async (port: number): Promise<string[]> =>
    Promise.all(["server/discover", "tools/list"].map(async (method) => (await askModern(port, method, {}, own)).text));
  const before = await tell(first.port);
  await first.gateway.close();
  await upstream.close();

  const { gateway, port } = await startServed(specs, { catalogStore: storeIn(folder) });
  expect(await tell(port)).toEqual(before);
  await vi.waitFor(() => expect(stateOf({ gateway }, "files")).toBe("down"));
  expect(await tell(port)).toEqual(before);
  const client = await initialize(port, "2025-11-25", own);
  const call = { name: "echo", arguments: { message: "x" } };
  expect(answerOf(await client.request(1, "tools/call", call))["error"]).toMatchObject({ code: -31_001 });
});

test("a call connects its connector at once, whoever else is being waited for", async () => {
  const upstream = await startUpstream();
  const folder = await stateFolder();
  const deaf = await Promise.all(["a", "b", "c", "d"].map(async (key) => ({ key, server: await startUpstream() })));
  const specs = [...deaf.map(({ key, server }) => specAt(key, server.url)), specAt("z", upstream.url)];
  await runOnce(folder, specs);
  for (const { server } of deaf) {
    await server.close();
    await deafServer(Number(new URL(server.url).port));
  }

  const { gateway, port } = await startServed(specs, { catalogStore: storeIn(folder) });
  expect(stateOf({ gateway }, "z")).toBe("connecting");
  const reply = await askModern(port, "tools/call", { name: "z__echo", arguments: { message: "first in line" } });
  expect(reply.text).toContain("first in line");
  await vi.waitFor(() => expect(stateOf({ gateway }, "z")).toBe("up"));
  expect(deaf.map(({ key }) => stateOf({ gateway }, key))).toEqual(Array.from({ length: 4 }, () => "connecting"));
});

test("a connector that comes back as it was is no change for clients (R23)", async () => {
  const upstream = await startUpstream();
  const folder = await stateFolder();
  const specs = [specAt("files", upstream.url)];
  const before = await runOnce(folder, specs);
  const { gateway, port } = await startServed(specs, { catalogStore: storeIn(folder) });
  const { revision } = gateway.status();
  const changes: string[] = [];
  gateway.onChange(() => changes.push(gateway.status().revision));
  await vi.waitFor(() => expect(stateOf({ gateway }, "files")).toBe("up"));
  expect(new Set(changes)).toEqual(new Set([revision]));
  expect((await askModern(port, "tools/list")).text).toBe(before);
});
