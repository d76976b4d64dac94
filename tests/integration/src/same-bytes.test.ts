import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { listBytes } from "./support/list-bytes.js";
import { startTestGateway } from "./support/test-gateway.js";

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
