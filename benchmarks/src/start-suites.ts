import { measureColdStart } from "./cold-start.js";
import { measureColdStartProcess } from "./cold-start-process.js";
import { coldStartReport } from "./cold-start-report.js";
import type { OnRound } from "./on-round.js";
import { measureRestart } from "./restart.js";
import { restartReport } from "./restart-report.js";
import type { Suite } from "./suite.js";
import { measureWarmStart } from "./warm-start.js";
import { warmStartReport } from "./warm-start-report.js";

/** How long the upstreams of every start take to list, and how many there are (the plan's figures). */
const SLOW = { connectors: 10, listDelayMs: 500 } as const;

/** The suites of starts: of the manager by itself, of the program, with what a run before stored, and of an upstream while calls go on. */
export function startSuites(quick: boolean): readonly Suite[] {
  return [
    {
      name: "cold-start",
      run: async (onRound) => ({ comparisons: await measureColdStart({ ...SLOW, rounds: quick ? 2 : 7 }, onRound) }),
    },
    {
      name: "cold-start-process",
      run: async (onRound) => coldStartProcess(quick, onRound),
    },
    {
      name: "warm-start",
      run: async (onRound) => {
        const rounds = quick ? 3 : 9;
        const { cells, comparisons } = await measureWarmStart(
          { ...SLOW, extraTools: quick ? [0] : [0, 85], rounds },
          onRound,
        );
        return { comparisons, text: warmStartReport(cells), details: { cells } };
      },
    },
    {
      name: "restart",
      run: async (onRound) => {
        const length = quick ? { stretchMs: 1_500, rounds: 2 } : { stretchMs: 4_000, rounds: 3 };
        const { rounds, comparisons } = await measureRestart({ callers: 16, ...length }, onRound);
        return { comparisons, text: restartReport(rounds), details: { rounds } };
      },
    },
  ];
}

async function coldStartProcess(quick: boolean, onRound: OnRound): ReturnType<Suite["run"]> {
  const full = { transports: ["HTTP", "stdio"], widths: ["1", "4", "16", "64", "adaptive"], rounds: 3 } as const;
  const short = { transports: ["HTTP"], widths: ["1", "4", "adaptive"], rounds: 2 } as const;
  const { cells, comparisons } = await measureColdStartProcess({ ...SLOW, ...(quick ? short : full) }, onRound);
  return { comparisons, text: coldStartReport(cells), details: { cells } };
}
