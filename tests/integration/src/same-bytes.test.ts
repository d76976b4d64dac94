import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { request } from "undici";
import { startTestGateway } from "./support/test-gateway.js";

/** The exact bytes of one `tools/list` answer. */
async function listBytes(url: string): Promise<Buffer> {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const { body, statusCode } = await request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/list",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta } }),
  });
  expect(statusCode).toBe(200);
  return Buffer.from(await body.arrayBuffer());
}

async function bytesOfGatewayWith(servers: readonly ServerInfo[]): Promise<Buffer> {
  const gateway = await startTestGateway(servers);
  try {
    return await listBytes(gateway.url);
  } finally {
    await gateway.close();
  }
}

describe("tools/list (R23)", () => {
  test("has the same bytes after a restart, and on a gateway whose registry is in another order", async () => {
    const http = await startFixtureHttp({ extraTools: 50 });
    const servers: ServerInfo[] = [
      { name: "web", transport: "http", endpoint: http.url },
      { name: "child", command: process.execPath, args: [stdioMainPath, "--tools", "20"] },
      { name: "Another", command: process.execPath, args: [stdioMainPath, "--era", "legacy"] },
    ];
    try {
      const first = await bytesOfGatewayWith(servers);
      const second = await bytesOfGatewayWith(servers);
      const reordered = await bytesOfGatewayWith(servers.toReversed());
      expect(first.length).toBeGreaterThan(10_000);
      expect(second.equals(first)).toBe(true);
      expect(reordered.equals(first)).toBe(true);
      process.stdout.write(`tools/list: ${first.length} bytes, equal three times\n`);
    } finally {
      await http.close();
    }
  });
});
