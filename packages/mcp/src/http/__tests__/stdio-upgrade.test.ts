import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { failOnLeaks, specAt, startFront, startServed, startUpstream } from "../../__tests__/support/gateway.js";
import { RawConnection, sendRaw } from "../../__tests__/support/http.js";
import { StreamClient } from "../../__tests__/support/stream-client.js";
import type { HttpLimits } from "../serve-http.js";

failOnLeaks();

const UPGRADE = { host: "localhost", connection: "Upgrade", upgrade: "cortex-mcp-stdio" };

const head = (headers: Readonly<Record<string, string>>, target = "GET /api/v1/stdio"): string =>
  [`${target} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");

async function controlled(limits: Partial<HttpLimits> = {}) {
  const upstream = await startUpstream();
  const running = await startServed([specAt("a", upstream.url)]);
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-"));
  onTestFinished(async () => rm(folder, { recursive: true }));
  const socketPath = path.join(folder, "gateway.sock");
  const control = await startFront(running, { listen: { socketPath }, controlApi: true, limits });
  const relay = async (): Promise<{ client: StreamClient; socket: Socket }> => {
    const asking = request({ socketPath, path: "/api/v1/stdio", headers: UPGRADE, agent: false });
    asking.end();
    const [, socket, first] = (await once(asking, "upgrade")) as [unknown, Socket, Buffer];
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
    socket.unshift(first);
    return { client: new StreamClient(socket, socket), socket };
  };
  return { ...running, upstream, control, socketPath, relay };
}

describe("a client of a relay (R14)", () => {
  test("is served over the control socket, beside others, each in its own session", async () => {
    const { relay, gateway, control } = await controlled();
    const [one, other] = [await relay(), await relay()];
    await one.client.initialize();
    await other.client.initialize();
    one.client.request(1, "tools/call", { name: "a__echo", arguments: { message: "one" } });
    other.client.modern(1, "tools/call", { name: "a__echo", arguments: { message: "other" } });
    expect(JSON.stringify(await one.client.answer(1))).toContain('"one"');
    expect(JSON.stringify(await other.client.answer(1))).toContain('"other"');
    expect(gateway.sessions.size).toBe(2);
    let left = false;
    const unrelayed = control.unrelayed().then(() => (left = true));
    one.client.end();
    await one.client.untilClosed();
    await vi.waitFor(() => expect(gateway.sessions.size).toBe(1));
    expect(left).toBe(false);
    other.socket.destroy();
    await unrelayed;
    expect(gateway.sessions.size).toBe(0);
    await control.unrelayed();
  });

  test("may send with its first breath: what came with the request is read", async () => {
    const { socketPath } = await controlled();
    const connection = await RawConnection.open(socketPath);
    connection.write(`${head(UPGRADE)}{"jsonrpc":"2.0","id":1,"method":"ping"}\n`);
    expect(await connection.until(/\}\n$/)).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: cortex-mcp-stdio\r\n\r\n{"jsonrpc":"2.0","id":1,"result":{}}\n',
    );
  });

  test("may send no longer messages than others", async () => {
    const { relay } = await controlled({ bodyBytes: 100 });
    const { client } = await relay();
    client.request(1, "ping", { a: "x".repeat(200) });
    expect(await client.answer(1)).toMatchObject({
      error: { message: "The message is larger than 100 bytes" },
    });
  });

  test.each([
    ["a foreign host", { ...UPGRADE, host: "evil.example" }, undefined, 403],
    ["a foreign origin", { ...UPGRADE, origin: "https://evil.example" }, undefined, 403],
    ["another protocol", { ...UPGRADE, upgrade: "websocket" }, undefined, 400],
    ["another method", UPGRADE, "POST /api/v1/stdio", 405],
    ["another path", UPGRADE, "GET /api/v1/status", 404],
  ])("is refused with %s", async (_name, headers, target, status) => {
    const { socketPath } = await controlled();
    const connection = await RawConnection.open(socketPath);
    connection.write(head(headers, target));
    expect(await connection.untilClosed()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test("is not served on a port", async () => {
    const { port } = await controlled();
    expect(await sendRaw(port, head({ ...UPGRADE, connection: "upgrade, close" }))).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe("draining a front with relays", () => {
  test("for a successor tells them to wait for it", async () => {
    const { relay, control } = await controlled();
    const { client } = await relay();
    const draining = control.drain({ deadlineMs: 60_000, keepListening: true, hasSuccessor: true });
    await client.untilClosed();
    expect(client.messages.at(-1)).toEqual({
      ...{ jsonrpc: "2.0", method: "notifications/cortex-mcp/farewell" },
      params: { successor: true },
    });
    await draining;
  });

  test("answers what was read, says farewell, and waits until the relay is gone", async () => {
    const { relay, control, upstream, socketPath } = await controlled();
    const { client } = await relay();
    await client.initialize();
    client.modern("sub", "subscriptions/listen", { notifications: { toolsListChanged: true } });
    client.request(1, "tools/call", { name: "a__slow", arguments: { ms: 300 } });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    const draining = control.drain({ deadlineMs: 60_000, keepListening: true });
    client.request(2, "tools/call", { name: "a__echo", arguments: { message: "not read" } });
    const late = await RawConnection.open(socketPath);
    late.write(head(UPGRADE));
    expect(await late.untilClosed()).toMatch(/^HTTP\/1\.1 503 /);
    await client.untilClosed();
    expect(client.messages.slice(-3)).toMatchObject([
      { id: "sub", result: {} },
      { id: 1, result: {} },
      { method: "notifications/cortex-mcp/farewell" },
    ]);
    await draining;
    expect(upstream.calls.inFlight).toBe(0);
  });

  test("tells calls that are under way at the deadline, and cuts off relays that do not go", async () => {
    const { relay, control, logger, upstream } = await controlled();
    const { client } = await relay();
    await client.initialize();
    client.request(1, "tools/call", { name: "a__slow", arguments: { ms: 60_000 } });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    await control.drain({ deadlineMs: 100 });
    expect(await client.answer(1)).toMatchObject({ error: { code: -31_001, message: "the gateway is shutting down" } });
    await client.untilClosed();
    expect(logger.messages("warn")).toContain("Calls failed because the gateway is shutting down");
  });

  test("closing it cuts them off", async () => {
    const { relay, control, gateway } = await controlled();
    const { client } = await relay();
    await client.initialize();
    await control.close();
    await client.untilClosed();
    expect(gateway.sessions.size).toBe(0);
  });
});
