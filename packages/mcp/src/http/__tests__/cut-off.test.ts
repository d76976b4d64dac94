import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { cutOffWhenStalled } from "../slow-reader.js";

describe("a large answer that was read to its end", () => {
  test("leaves nothing on the connection that could cut off a later answer", async () => {
    const sockets: Socket[] = [];
    const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => {
      response.end(Buffer.alloc(32 * 1024 * 1024));
      cutOffWhenStalled(response, 60_000);
    });
    server.on("connection", (socket) => sockets.push(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const request = get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", agent });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      expect(sockets[0]?.timeout).toBe(60_000);
      response.resume();
      await once(response, "end");
      await vi.waitFor(() => expect(sockets[0]?.timeout).toBe(0));
      expect(sockets).toHaveLength(1);
    } finally {
      agent.destroy();
      server.close();
      await once(server, "close");
    }
  });
});
