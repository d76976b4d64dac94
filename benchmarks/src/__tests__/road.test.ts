import { expect, test } from "vitest";
import { measureRoad } from "../road.js";

test("the road can be measured: every way answers, and the processes in the middle use CPU (R18)", async () => {
  const rounds: number[] = [];
  const measurements = await measureRoad({ concurrencies: [2], rounds: 1, roundMs: 200, warmUpMs: 50 }, (done) =>
    rounds.push(done),
  );
  expect(rounds).toEqual([1]);
  expect(measurements.map(({ way, concurrency }) => [way, concurrency])).toEqual([
    ["direct", 2],
    ["bare proxy", 2],
    ["cortex-mcp", 2],
  ]);
  for (const { rounds: all } of measurements) expect(all[0]?.callsPerSecond).toBeGreaterThan(0);
  expect(measurements[2]?.rounds[0]?.cpuMicros).toBeGreaterThanOrEqual(0);
}, 60_000);
