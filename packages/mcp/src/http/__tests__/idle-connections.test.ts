import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { IdleConnections } from "../idle-connections.js";
import { OpenAnswers } from "../open-answers.js";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map(async (close) => close()));
});

async function serve() {
  const time = new ManualTime();
  const sockets = new Set<Socket>();
  const idle = new IdleConnections(time, sockets, new OpenAnswers());
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("data", () => {});
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) idle.stop();
    });
    idle.connected();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const open = async (): Promise<{ client: Socket; isClosed: () => boolean }> => {
    const before = sockets.size;
    const client = connect(port, "127.0.0.1");
    let closed = false;
    client.once("close", () => {
      closed = true;
    });
    client.resume();
    await vi.waitFor(() => expect(sockets.size).toBe(before + 1));
    return { client, isClosed: () => closed };
  };
  closers.push(async () => {
    idle.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
    expect(time.pending).toBe(0);
  });
  return { time, sockets, open };
}

describe("connections that nobody uses", () => {
  test("are closed when they have said nothing from one look to the next", async () => {
    const { time, open, sockets } = await serve();
    const { isClosed } = await open();
    await time.advance(60_000);
    expect(sockets.size).toBe(1);
    await time.advance(60_000);
    await vi.waitFor(() => expect(isClosed()).toBe(true));
  });

  test("stay when they have said something since", async () => {
    const { time, open, sockets } = await serve();
    const { client } = await open();
    await time.advance(60_000);
    client.write("x");
    await vi.waitFor(() => expect([...sockets][0]?.bytesRead).toBe(1));
    await time.advance(60_000);
    expect(sockets.size).toBe(1);
    await time.advance(60_000);
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  });

  test("are looked at by one timer, and by none when there are none", async () => {
    const { time, open, sockets } = await serve();
    const one = await open();
    await open();
    expect(time.pending).toBe(1);
    one.client.destroy();
    await vi.waitFor(() => expect(sockets.size).toBe(1));
    expect(time.pending).toBe(1);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(() => expect(time.pending).toBe(0));
  });
});
