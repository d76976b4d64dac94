import { createMetrics, serveHttp } from "@cortex-os/mcp";
import { silentLogger, systemTimers } from "@cortex-os/mcp-core";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { stdioMainPath } from "@cortex-os/fixture-server";
import { expect, onTestFinished, test, vi } from "vitest";
import { legacyClientOver } from "./support/real-clients.js";
import { startTestGateway } from "./support/test-gateway.js";

test("R22: the v1 SDK's client of HTTP with SSE lists, calls, hears progress and changes", async () => {
  const entry = { name: "twin", command: process.execPath, args: [stdioMainPath] };
  const { gateway, writeRegistry, close } = await startTestGateway([entry]);
  onTestFinished(close);
  const front = await serveHttp(gateway, {
    ...{ listen: { host: "127.0.0.1", port: 0 }, legacySse: true },
    ...{ logger: silentLogger, metrics: createMetrics(), timers: systemTimers },
  });
  onTestFinished(() => front.close());
  const transport = new SSEClientTransport(new URL("/sse", front.url));
  const client = await legacyClientOver(transport);
  const changed = vi.fn<() => void>();
  await client.onToolsChanged(changed);
  expect(await client.tools()).toContain("twin__echo");
  expect(await client.call("twin__echo", { message: "hello" })).toMatchObject({ text: "hello" });
  // Heard at the transport: the SDK's client drops the progress that comes in one turn with the answer.
  const heard: unknown[] = [];
  const { onmessage } = transport;
  Object.assign(transport, {
    onmessage: (message: JSONRPCMessage) => {
      if ("method" in message && message.method === "notifications/progress") heard.push(message.params?.["progress"]);
      onmessage?.(message);
    },
  });
  await client.call("twin__slow", { ms: 20, steps: 3 }, { onProgress: () => {} });
  expect(heard).toEqual([1, 2, 3]);
  const abort = new AbortController();
  const endless = client.call("twin__slow", { ms: 60_000 }, { signal: abort.signal });
  const outcome = expect(endless).rejects.toThrow(/changed my mind/);
  abort.abort("changed my mind");
  await outcome;
  await writeRegistry([entry, { ...entry, name: "triplet" }]);
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), 10_000);
  expect(await client.tools()).toContain("triplet__echo");
  expect(gateway.sessions.size).toBe(1);
  await client.close();
  await vi.waitFor(() => expect(gateway.sessions.size).toBe(0));
});
