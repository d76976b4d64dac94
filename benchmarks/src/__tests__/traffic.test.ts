import { expect, test } from "vitest";
import { measureTraffic } from "../measure-traffic.js";
import type { Subject } from "../subject.js";
import { SUBJECTS } from "../subjects.js";
import { TRAFFIC } from "../traffic.js";
import { ROAD } from "../way-names.js";

/** Real processes at rounds that say nothing about speed: the figures are looked at for their shape only. */
const OPTIONS = { concurrencies: [2], rounds: 1, roundMs: 100, warmUpMs: 10 };
const ours = SUBJECTS.filter(({ isForeign }) => !isForeign);

test.each(TRAFFIC)(
  "$name: every subject of ours that can stand there answers every call well, and its CPU and memory are measured (R18)",
  async (traffic) => {
    const rounds: number[] = [];
    const { measurements, noise, failures } = await measureTraffic(traffic, ours, OPTIONS, (done) => rounds.push(done));
    expect(rounds).toEqual([1]);
    expect(noise.calibrationMs).toHaveLength(1);
    expect(failures).toEqual({});
    const names =
      traffic.upstream === "http"
        ? [ROAD.direct, ROAD.bareProxy, ROAD.sdkGateway, ROAD.gateway]
        : [ROAD.bareProxy, ROAD.gateway];
    expect(measurements.map(({ way, concurrency }) => [way, concurrency])).toEqual(names.map((name) => [name, 2]));
    for (const { way, rounds: all, restingBytes } of measurements) {
      expect(all[0]?.callsPerSecond).toBeGreaterThan(0);
      if (way === ROAD.direct) continue;
      expect(all[0]?.cpuMicros).toBeGreaterThan(0);
      expect(all[0]?.peakBytes).toBeGreaterThan(0);
      expect(restingBytes).toBeGreaterThan(0);
    }
  },
  120_000,
);

const failing = (isForeign: boolean): Subject => ({
  name: "failing",
  does: "nothing",
  ...{ isForeign, upstreams: ["http"], eras: ["modern"] },
  start: async () => Promise.reject(new Error("not to be had here")),
});

test("somebody else's program that cannot run is told of, ours ends the measurement", async () => {
  const [road] = TRAFFIC;
  if (road === undefined) throw new Error("there is no traffic");
  const direct = ours.slice(0, 1);
  const found = await measureTraffic(road, [...direct, failing(true)], OPTIONS, () => {});
  expect(found.failures).toEqual({ failing: "not to be had here" });
  expect(found.measurements.map(({ way }) => way)).toEqual([ROAD.direct]);
  await expect(measureTraffic(road, [failing(false)], OPTIONS, () => {})).rejects.toThrow("not to be had here");
}, 60_000);
