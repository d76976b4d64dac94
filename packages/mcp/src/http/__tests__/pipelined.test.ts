import { expect, test, vi } from "vitest";
import { failOnLeaks, rawModern, specAt, startServed, startUpstream } from "../../__tests__/support/gateway.js";
import { RawConnection } from "../../__tests__/support/http.js";

failOnLeaks();

test("requests pipelined behind an open one are let go with their connection (reliability.md, threat 30)", async () => {
  const upstream = await startUpstream({ era: "modern" });
  const { port, front, gateway, metrics } = await startServed([specAt("a", upstream.url)]);
  const listeners = async (): Promise<string | undefined> => {
    gateway.measure();
    return (await metrics.exposition()).split("\n").find((line) => line.startsWith("brainwav_mcp_listeners "));
  };
  const connections = await Promise.all(Array.from({ length: 5 }, async () => RawConnection.open(port)));
  const listen = rawModern("subscriptions/listen", { notifications: { toolsListChanged: true } });
  const call = rawModern("tools/call", { name: "a__slow", arguments: { ms: 600_000 } });
  for (const connection of connections) connection.write(listen + listen + call);
  await vi.waitFor(async () => expect(await listeners()).toBe("brainwav_mcp_listeners 10"));
  await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(5));

  for (const connection of connections) connection.close();
  await vi.waitFor(async () => expect(await listeners()).toBe("brainwav_mcp_listeners 0"));
  await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(0));
  // Nothing is open any more: draining has nothing to wait for.
  await front.drain({ deadlineMs: 60_000, keepListening: true });
});
