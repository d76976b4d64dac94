import { expect, test } from "vitest";
import { measureListRoad } from "../list-road.js";

test("lists can be measured: a file of the same bytes and the gateway both answer, and both use CPU (R18)", async () => {
  const options = { tools: 20, concurrencies: [2], rounds: 1, roundMs: 200, warmUpMs: 50 };
  const measurements = await measureListRoad(options, () => {});
  expect(measurements.map(({ way, concurrency }) => [way, concurrency])).toEqual([
    ["static file", 2],
    ["cortex-mcp", 2],
  ]);
  for (const { rounds } of measurements) {
    expect(rounds[0]?.callsPerSecond).toBeGreaterThan(0);
    expect(rounds[0]?.cpuMicros).toBeGreaterThan(0);
  }
}, 60_000);
