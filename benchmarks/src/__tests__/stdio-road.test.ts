import { expect, test } from "vitest";
import { echoCall } from "../echo-call.js";
import { bareStdioProxyPath, stdioEchoPath } from "../program-paths.js";
import { withServers } from "../server-process.js";
import { measureStdioRoad } from "../stdio-road.js";

test("the road to an upstream over stdio can be measured: both ways answer, and both processes in the middle use CPU (R18)", async () => {
  const measurements = await measureStdioRoad({ concurrencies: [2], rounds: 1, roundMs: 200, warmUpMs: 50 }, () => {});
  expect(measurements.map(({ way, concurrency }) => [way, concurrency])).toEqual([
    ["bare proxy", 2],
    ["cortex-mcp", 2],
  ]);
  for (const { rounds } of measurements) expect(rounds[0]?.callsPerSecond).toBeGreaterThan(0);
}, 60_000);

test("the bare proxy to stdio is a correct one: callers whose ids collide get their own answers, under their own ids", async () => {
  await withServers(async ({ start }) => {
    const { url } = await start([bareStdioProxyPath, stdioEchoPath]);
    const { headers, body } = echoCall(url, "echo");
    const call = async (message: string): Promise<unknown> => {
      const sent = body.replace('"id":1', '"id":"same"').replace("hello", message);
      const response = await fetch(url, { method: "POST", headers, body: sent });
      return response.json();
    };
    const messages = Array.from({ length: 50 }, (_, at) => `message ${at}`);
    expect(await Promise.all(messages.map(call))).toEqual(
      messages.map((text) => ({
        jsonrpc: "2.0",
        id: "same",
        result: { resultType: "complete", content: [{ type: "text", text }] },
      })),
    );
  });
}, 60_000);
