import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { startFixtureHttp } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { connectModernClient } from "./support/real-clients.js";
import { startTestGateway } from "./support/test-gateway.js";
import { freePort } from "./support/running-upstream.js";

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(answer: (body: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      answer(Buffer.concat(chunks).toString(), response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return `http://127.0.0.1:${address.port}/mcp`;
}

const html = async (): Promise<string> =>
  serve((_body, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html><body>Welcome to nginx!</body></html>");
  });

/** Modern, and well-behaved up to its list: 50 MB of tools on one page. */
const fiftyMegabytes = async (): Promise<string> =>
  serve((body, response) => {
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    const caching = { resultType: "complete", ttlMs: 0, cacheScope: "public" };
    response.writeHead(200, { "content-type": "application/json" });
    if (method === "server/discover") {
      const result = { ...caching, supportedVersions: ["2026-07-28"], capabilities: { tools: {} } };
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
      return;
    }
    const tool = { name: "big", description: "x".repeat(1024 * 1024), inputSchema: { type: "object" } };
    const tools = Array.from({ length: 50 }, (_, at) => ({ ...tool, name: `big${at}` }));
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { ...caching, tools } }));
  });

const node = (script: string): Pick<ServerInfo, "command" | "args"> => ({
  command: process.execPath,
  args: ["-e", script],
});

describe("a connector that is bad in its own way (R6, R8)", () => {
  test("is down with the reason, and the others are untouched", async () => {
    const good = await startFixtureHttp();
    cleanups.push(async () => good.close());
    const quick = { connectMs: 1_000, startMs: 3_000, listMs: 5_000 };
    const servers: ServerInfo[] = [
      { name: "good", transport: "http", endpoint: good.url },
      { name: "html", transport: "http", endpoint: await html(), timeouts: quick },
      { name: "huge", transport: "http", endpoint: await fiftyMegabytes(), timeouts: quick },
      { name: "refused", transport: "http", endpoint: `http://127.0.0.1:${await freePort()}/mcp`, timeouts: quick },
      { name: "missing", command: "no-such-command-anywhere", timeouts: quick },
      { name: "dies", ...node("console.error('out of cheese'); process.exit(3)"), timeouts: quick },
      { name: "babbles", ...node("setInterval(() => console.log('hello, I am no MCP server'), 50)"), timeouts: quick },
      { name: "mute", ...node("setInterval(() => {}, 1000)"), timeouts: quick },
      { name: "websocket", transport: "ws", endpoint: "ws://127.0.0.1:1/mcp" },
    ];
    const gateway = await startTestGateway(servers);
    cleanups.push(async () => gateway.close());
    const client = await connectModernClient(gateway.url);
    cleanups.push(async () => client.close());

    expect(await client.call("good__echo", { message: "fine" })).toMatchObject({ text: "fine" });
    await vi.waitFor(
      () => {
        const { connectors } = gateway.gateway.status();
        expect(connectors.filter(({ state }) => state === "down")).toHaveLength(8);
      },
      { timeout: 15_000 },
    );
    const reasons = gateway.gateway.status().connectors.map(({ key, reason }) => `${key}: ${reason ?? "up"}`);
    process.stdout.write(`${reasons.join("\n")}\n`);
    expect(new Set((await client.tools()).map((name) => name.split("__")[0]))).toEqual(new Set(["good"]));
    const byKey = new Map(gateway.gateway.status().connectors.map(({ key, reason }) => [key, reason]));
    expect(byKey.get("huge")).toMatch(/MiB|bytes|large/);
    expect(byKey.get("refused")).toMatch(/refused|ECONNREFUSED/);
    expect(byKey.get("missing")).toContain("no-such-command-anywhere");
    expect(byKey.get("dies")).toContain("out of cheese");
    expect(await client.call("good__echo", { message: "still fine" })).toMatchObject({ text: "still fine" });
  });
});
