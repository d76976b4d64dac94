import { compareWays } from "./compare-ways.js";
import { measureTraffic, type TrafficFound } from "./measure-traffic.js";
import { noiseSentence } from "./noise.js";
import type { OnRound } from "./on-round.js";
import { plotOf } from "./plot.js";
import { addedTo, ratiosTo, type Added, type Ratio } from "./ratios.js";
import { SUBJECTS } from "./subjects.js";
import type { Suite, SuiteResult } from "./suite.js";
import { cellOf } from "./summary.js";
import { TRAFFIC, type Traffic } from "./traffic.js";
import { ROAD } from "./way-names.js";
import { waysTable } from "./ways-table.js";
import type { WaysOptions } from "./ways.js";

/** How long each round of the whole benchmark is, and of the quick one. */
const LENGTH = { rounds: 7, roundMs: 1_000, warmUpMs: 2_000 };
const QUICK_LENGTH = { rounds: 3, roundMs: 700, warmUpMs: 1_000 };

/** The concurrency that is drawn, if it was measured. */
const PLOTTED = 16;

/** A suite for each kind of traffic; the quick form leaves peers out, which would have to be installed first. */
export function trafficSuites(quick: boolean): readonly Suite[] {
  return TRAFFIC.map((traffic) => ({
    name: traffic.name,
    isQuick: traffic.quick !== undefined,
    run: async (onRound: OnRound) => {
      const concurrencies = (quick ? traffic.quick : undefined) ?? traffic.concurrencies;
      return trafficResult(traffic, { ...(quick ? QUICK_LENGTH : LENGTH), concurrencies }, quick, onRound);
    },
  }));
}

async function trafficResult(
  traffic: Traffic,
  options: WaysOptions,
  quick: boolean,
  onRound: OnRound,
): Promise<SuiteResult> {
  const subjects = quick ? SUBJECTS.filter(({ isForeign }) => !isForeign) : SUBJECTS;
  const found = await measureTraffic(traffic, subjects, options, onRound);
  const { measurements } = found;
  const ratios = [ROAD.direct, ROAD.bareProxy, ROAD.sdkGateway].flatMap((name) => ratiosTo(name, measurements));
  const added = addedTo(ROAD.direct, ROAD.bareProxy, measurements);
  const cells = measurements.map(cellOf);
  const plotted = options.concurrencies.find((count) => count === PLOTTED) ?? options.concurrencies[0];
  return {
    comparisons: compareWays(measurements, {
      benchmark: traffic.benchmark,
      load: traffic.load,
      baseline: traffic.upstream === "http" ? ROAD.direct : ROAD.bareProxy,
      optimised: ROAD.gateway,
    }),
    text: trafficReport(found, ratios, added),
    details: { ratios, added, ...found },
    cells,
    plot: plotOf(
      `${traffic.benchmark}: ${traffic.load}, ${plotted} at once`,
      cells.filter(({ concurrency }) => concurrency === plotted),
      ROAD.gateway,
    ),
  };
}

/** The table, the ratios of our own, what failed, what each does, and the noise. */
export function trafficReport(
  { measurements, noise, failures }: TrafficFound,
  ratios: readonly Ratio[],
  added: readonly Added[],
): string {
  const names = new Set(measurements.map(({ way }) => way));
  return [
    waysTable(measurements.map(cellOf)),
    ...ratios.filter(({ way }) => way === ROAD.gateway).map(ratioSentence),
    ...added.filter(({ way }) => way === ROAD.gateway).map(addedSentence),
    ...Object.entries(failures).map(([name, why]) => `- ${name} failed: ${firstLine(why)}`),
    "",
    ...SUBJECTS.filter(({ name }) => names.has(name)).map(({ name, does }) => `- ${name}: ${does}`),
    "",
    noiseSentence(noise),
    "",
  ].join("\n");
}

function ratioSentence({ way, baseline, concurrency, throughput, cpu, noisy }: Ratio): string {
  const share = cpu === undefined ? "" : `, with ${cpu.toFixed(2)} times its CPU a call`;
  const warning = noisy ? " (the machine was too noisy for this to mean much)" : "";
  return `- at ${concurrency}: ${way} does ${throughput.toFixed(2)} of the calls of ${baseline}${share}${warning}`;
}

const addedSentence = ({ way, concurrency, p50Ms, ratio }: Added): string =>
  `- at ${concurrency}: ${way} adds ${p50Ms.toFixed(3)} ms to the median, ${ratio.toFixed(2)} of what the bare proxy adds`;

const firstLine = (text: string): string => text.split("\n")[0] ?? "";
