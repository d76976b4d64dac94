import { loadavg } from "node:os";
import { compareWays } from "./compare-ways.js";
import { measureListRoad, type ListRoadOptions } from "./list-road.js";
import { MANY, manyReport, measureMany, QUICK_MANY, type ManyOptions } from "./many.js";
import { measureMapRefresh } from "./map-refresh.js";
import { measureMapVerify } from "./map-verify.js";
import type { OnRound } from "./on-round.js";
import { measureRefreshCost } from "./refresh-cost.js";
import { registryReport } from "./registry-report.js";
import { measureRegistry, type RegistrySuiteOptions } from "./registry-suite.js";
import { startSuites } from "./start-suites.js";
import type { Suite, SuiteResult } from "./suite.js";
import { cellOf } from "./summary.js";
import { trafficSuites } from "./traffic-suites.js";
import { LIST_ROAD } from "./way-names.js";
import { waysTable } from "./ways-table.js";

const REGISTRY: RegistrySuiteOptions = {
  sizes: [10, 100, 1_000, 10_000],
  callers: [1, 64],
  ...{ rounds: 9, flushes: 100, upserts: 500, changes: 256 },
};
const QUICK_REGISTRY: RegistrySuiteOptions = { ...REGISTRY, rounds: 3, flushes: 40, upserts: 100, changes: 128 };

/** How many tools are listed: one page, and the first of ten. */
const LISTED = [500, 10_000];

/** All benchmarks (R18): `quick` in a few minutes, for a look; else as they are published, in under half an hour. */
export function suitesOf(quick: boolean): readonly Suite[] {
  const rounds = quick ? 3 : 9;
  const roundMs = quick ? 1_000 : 1_500;
  const sizes = quick ? [10, 100] : [10, 100, 1_000];
  return [
    ...trafficSuites(quick),
    ...LISTED.map((tools) => ({
      name: `list-${tools}`,
      run: async (onRound: OnRound) =>
        listResult({ tools, concurrencies: quick ? [16] : [1, 16], rounds, roundMs }, onRound),
    })),
    {
      name: "refresh",
      run: async (onRound) => ({
        comparisons: await measureRefreshCost({ connectors: 100, concurrencies: [16], rounds, roundMs }, onRound),
      }),
    },
    ...startSuites(quick),
    {
      name: "registry",
      run: async (onRound) => registryResult(quick ? QUICK_REGISTRY : REGISTRY, onRound),
    },
    {
      name: "map-verify",
      run: async (onRound) => ({ comparisons: measureMapVerify({ sizes, rounds, readings: 200 }, onRound) }),
    },
    {
      name: "map-refresh",
      run: async (onRound) => ({
        comparisons: await measureMapRefresh({ sizes: [10, 100], rounds, refreshes: 10 }, onRound),
      }),
    },
    { name: "many", run: async (onRound) => manyResult(quick ? QUICK_MANY : MANY, onRound) },
  ];
}

async function manyResult(options: ManyOptions, onRound: OnRound): Promise<SuiteResult> {
  const found = await measureMany(options, onRound);
  return { comparisons: [], text: manyReport(found), details: { ...found } };
}

async function registryResult(options: RegistrySuiteOptions, onRound: OnRound): Promise<SuiteResult> {
  const found = await measureRegistry(options, onRound);
  const { comparisons, throughputs, fileSystem } = found;
  return { comparisons, text: registryReport(found, loadavg()), details: { throughputs, fileSystem } };
}

async function listResult(options: ListRoadOptions, onRound: OnRound): Promise<SuiteResult> {
  const measurements = await measureListRoad(options, onRound);
  const cells = measurements.map(cellOf);
  return {
    comparisons: compareWays(measurements, {
      benchmark: "lists",
      load: `first page of ${options.tools} tools`,
      baseline: LIST_ROAD.file,
      optimised: LIST_ROAD.gateway,
    }),
    text: waysTable(cells),
    details: { measurements },
    cells,
  };
}
