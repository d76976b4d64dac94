import { pairUp, type Comparison } from "./comparison.js";
import { makeGatewayHome } from "./gateway-home.js";
import type { OnRound } from "./on-round.js";
import { withSilentServers } from "./silent-servers.js";
import { withSlowConnectors, type SlowConnectors, type UpstreamTransport } from "./slow-connectors.js";
import { startTimes, type StartTimes } from "./start-times.js";
import { withTemporaryFolder } from "./temporary-folder.js";

/** How many connectors of which slowness, reached how, and how often. */
export interface ColdStartProcessOptions {
  readonly connectors: number;
  /** How long each connector takes to list its tools, in milliseconds. */
  readonly listDelayMs: number;
  readonly transports: readonly UpstreamTransport[];
  /** How many start at a time: values of `startup.width`. The first is what the others are held against. */
  readonly widths: readonly string[];
  readonly rounds: number;
}

/** One kind of start, round by round. */
export interface ColdStartCell {
  readonly transport: UpstreamTransport;
  readonly width: string;
  /** Whether one connector more was dead and another hung; both are the first in line. */
  readonly disturbed: boolean;
  readonly rounds: readonly StartTimes[];
}

/** What the suite found. */
export interface ColdStartProcess {
  readonly cells: readonly ColdStartCell[];
  readonly comparisons: readonly Comparison[];
}

/** So many usable connectors are what the plan looks at. */
export const FIRST = 8;

/** When the eighth connector was usable, or the last where there are fewer, in milliseconds since the program was spawned. */
export const firstUsableMs = ({ usableMs }: StartTimes): number => usableMs[FIRST - 1] ?? allUsableMs({ usableMs });

/** When all were, in the same way. */
export const allUsableMs = ({ usableMs }: Pick<StartTimes, "usableMs">): number => Math.max(...usableMs);

/**
 * The program from its spawning to usable tools, with nothing stored: one connector after the other, and wider; then the same beside one connector that is dead and one
 * that hangs. All kinds take turns within each round.
 *
 * @throws Error when a call fails, or when a list is empty
 */
export async function measureColdStartProcess(
  options: ColdStartProcessOptions,
  onRound: OnRound,
): Promise<ColdStartProcess> {
  const { connectors, listDelayMs, transports, rounds } = options;
  const cells: ColdStartCell[] = [];
  for (const [at, transport] of transports.entries()) {
    const found = await withSlowConnectors({ transport, connectors, listDelayMs }, async (slow) =>
      measureTransport(transport, slow, options, (done) => {
        onRound(at * rounds + done, transports.length * rounds);
      }),
    );
    cells.push(...found);
  }
  return { cells, comparisons: cells.flatMap((cell) => comparisonsOf(cell, cells, options)) };
}

async function measureTransport(
  transport: UpstreamTransport,
  slow: SlowConnectors,
  { widths, rounds }: ColdStartProcessOptions,
  onRoundDone: (done: number) => void,
): Promise<readonly ColdStartCell[]> {
  const cells = widths.flatMap((width, at) =>
    // A start that waits for each in turn waits for the one that hangs, too: that needs no measuring.
    (at === 0 ? [false] : [false, true]).map((disturbed) => ({
      transport,
      width,
      disturbed,
      rounds: new Array<StartTimes>(),
    })),
  );
  return withSilentServers(async ({ dead, hanging }) => {
    const silent = [
      { name: "a-dead", transport: "http", endpoint: dead },
      { name: "a-hanging", transport: "http", endpoint: hanging },
    ];
    for (let round = 0; round < rounds; round++) {
      // They take turns at being first, so that what drifts within a round hits each of them.
      for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
        const entries = cell.disturbed ? [...silent, ...slow.entries] : slow.entries;
        cell.rounds.push(await startOnce(slow.keys, entries, cell));
      }
      onRoundDone(round + 1);
    }
    return cells;
  });
}

async function startOnce(
  keys: readonly string[],
  entries: SlowConnectors["entries"],
  { width }: ColdStartCell,
): Promise<StartTimes> {
  return withTemporaryFolder(async (home) => {
    await makeGatewayHome(home, entries);
    return startTimes({ home, keys, env: { CORTEX_MCP_STARTUP_WIDTH: width } });
  });
}

function comparisonsOf(
  cell: ColdStartCell,
  cells: readonly ColdStartCell[],
  { connectors, listDelayMs, widths: [first = ""] }: ColdStartProcessOptions,
): Comparison[] {
  const { transport, width, disturbed } = cell;
  const baseWidth = disturbed ? width : first;
  const base = cells.find((other) => other.transport === transport && other.width === baseWidth && !other.disturbed);
  if (base === undefined || base === cell) return [];
  const of = `${transport}, ${connectors} connectors of ${listDelayMs} ms`;
  const is = disturbed
    ? {
        baseline: `${atATime(width)}, none but these`,
        optimised: `${atATime(width)}, one dead and one hanging beside them`,
      }
    : { baseline: atATime(first), optimised: atATime(width) };
  const first8 = `the first ${Math.min(FIRST, connectors)} usable`;
  const figures: readonly (readonly [string, (times: StartTimes) => number])[] = [
    [`from spawning: ${first8}`, firstUsableMs],
    ["from spawning: all usable", allUsableMs],
    [`from the open endpoint: ${first8}`, (times) => firstUsableMs(times) - times.answersMs],
    ["from the open endpoint: all usable", (times) => allUsableMs(times) - times.answersMs],
    // Of lists that hold the same only: one that is asked while each waits for the one before holds some of them.
    ...(disturbed ? [["from spawning: the first list", ({ listMs }: StartTimes) => listMs] as const] : []),
  ];
  return figures.map(([figure, value]) => ({
    benchmark: "cold start",
    measure: `${of}, ${figure}`,
    unit: "ms",
    is,
    rounds: pairUp(base.rounds.map(value), cell.rounds.map(value)),
  }));
}

/** A width in words. */
export const atATime = (width: string): string => (/^\d/.test(width) ? `${width} at a time` : width);
