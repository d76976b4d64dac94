import { createServer, type RequestListener, type Server } from "node:http";
import path from "node:path";
import { systemTimers } from "@cortex-os/mcp-core";
import { expect, onTestFinished, test } from "vitest";
import type { GatewayLink } from "../stdio/gateway-link.js";
import { openSocketLink } from "../stdio/socket-link.js";
import { temporaryFolder } from "./test-io.js";

/** A link to something that carries stdio, and answers other requests as `listener` does. */
async function linkTo(listener: RequestListener): Promise<{ readonly link: GatewayLink; readonly server: Server }> {
  const socket = path.join(await temporaryFolder(), "gateway.sock");
  const server = createServer(listener).listen(socket);
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("upgrade", (_request, connection) => {
    connection.on("error", () => {});
    connection.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: cortex-mcp-stdio\r\n\r\n");
    onTestFinished(() => void connection.destroy());
  });
  const record = { pid: 4_000_000, version: "1", socket };
  const link = await openSocketLink({ socket, record }, systemTimers, new AbortController().signal);
  if (link === undefined) throw new Error("no link");
  onTestFinished(() => {
    link.close();
    server.close().closeAllConnections();
  });
  return { link, server };
}

test("R16: a gateway is awake when it answers anything, and not when it is silent or gone", async () => {
  const asked: (string | undefined)[] = [];
  const awake = await linkTo((request, response) => {
    asked.push(request.url);
    response.writeHead(503).end("{}");
  });
  expect(await awake.link.isAwake(10_000)).toBe(true);
  expect([asked, awake.link.pid]).toEqual([["/livez"], 4_000_000]);
  const silent = await linkTo(() => {});
  expect(await silent.link.isAwake(20)).toBe(false);
  awake.server.close().closeAllConnections();
  expect(await awake.link.isAwake(10_000)).toBe(false);
});
