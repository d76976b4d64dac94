import { expect } from "vitest";
import { request } from "undici";

/** The exact bytes of one `tools/list` answer of the modern era. */
export async function listBytes(url: string): Promise<Buffer> {
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
