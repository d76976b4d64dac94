import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, onTestFinished, test, vi } from "vitest";
import { LEGACY_CALLER, MODERN_CALLER } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { called, proxyTo } from "../../runtime/__tests__/proxy-to.js";

/** A server as the v1 SDK's users wrote them: one GET and one POST route, everything else is not found. */
async function sdkServer() {
  const transports = new Map<string, SSEServerTransport>();
  const servers = new Set<Server>();
  const http = createServer((req, res) => {
    void (async () => {
      const url = new URL(req.url ?? "/", "http://localhost");
      const transport = transports.get(url.searchParams.get("sessionId") ?? "");
      if (req.method === "GET" && url.pathname === "/sse") {
        const opened = new SSEServerTransport("/messages", res);
        transports.set(opened.sessionId, opened);
        const server = mcpServer(opened.sessionId);
        servers.add(server);
        res.once("close", () => transports.delete(opened.sessionId));
        await server.connect(opened);
      } else if (req.method === "POST" && transport !== undefined) await transport.handlePostMessage(req, res);
      else res.writeHead(404).end(`Cannot ${req.method ?? ""} ${url.pathname}`);
    })();
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(async () => {
    const count = () => new Promise((resolve) => http.getConnections((_, open) => resolve(open)));
    await vi.waitFor(async () => expect(await count(), "connections left open").toBe(0));
    http.close();
  });
  const address = http.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/sse`, transports, servers };
}

function mcpServer(session: string): Server {
  const server = new Server({ name: "sdk", version: "1" }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [{ name: "where", inputSchema: { type: "object" } }],
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { sendNotification, signal }) => {
    const progressToken = params._meta?.progressToken;
    if (progressToken !== undefined)
      await sendNotification({ method: "notifications/progress", params: { progressToken, progress: 1 } });
    if (params.name === "hang") await once(signal, "abort");
    return { content: [{ type: "text", text: session }] };
  });
  return server;
}

test("a server of the v1 SDK over HTTP+SSE is found out, listed and called by clients of both eras (R8, R22)", async () => {
  const { servers, transports, url } = await sdkServer();
  const { changes, proxy } = proxyTo(url);
  await proxy.connect();
  expect(proxy.facts).toMatchObject({ transport: "sse", era: "legacy", serverInfo: { name: "sdk" } });
  expect((await proxy.list("tools")).entries).toEqual([{ name: "where", inputSchema: { type: "object" } }]);
  const [own] = transports.keys();
  expect(await proxy.callTool("where", {})).toEqual({ content: [{ type: "text", text: own }] });
  const legacy = await called(proxy, LEGACY_CALLER);
  const modern = await called(proxy, MODERN_CALLER);
  const texts = [legacy, modern].map(({ response }) => JSON.stringify(response));
  expect(texts).toEqual([...transports.keys()].slice(1).map((session) => expect.stringContaining(session)));
  expect(transports.size).toBe(3);
  const [first] = servers;
  await first?.sendToolListChanged();
  await vi.waitFor(() => expect(changes.count).toBe(1));
  proxy.endSession(LEGACY_CALLER.sessionKey ?? "");
  await vi.waitFor(() => expect(transports.size).toBe(2));
});

test("it reports progress, and stops when a client cancels", async () => {
  const { url } = await sdkServer();
  const { proxy } = proxyTo(url);
  const sink = new RecordingSink();
  const params = { name: "hang", arguments: {}, _meta: { progressToken: "t" } };
  const exchange = proxy.send({ id: 1, method: "tools/call", params, caller: LEGACY_CALLER }, sink);
  await vi.waitFor(() => expect(sink.notifications).toHaveLength(1));
  expect(sink.notifications[0]?.params).toEqual({ progressToken: "t", progress: 1 });
  exchange.cancel();
  expect((await called(proxy, LEGACY_CALLER)).response).toMatchObject({ result: {} });
  expect(sink.endings).toEqual([]);
});
