import type { RestartRound } from "./restart.js";
import { median } from "./statistics.js";
import type { Stretch } from "./steady-callers.js";

const STRETCHES = [
  ["before", "before"],
  ["during", "while the other upstream is away"],
  ["after", "when it is back"],
] as const;

/** What the restarts showed, as Markdown; medians over the rounds. */
export function restartReport(rounds: readonly RestartRound[]): string {
  const failures = new Map<string, number>();
  for (const round of rounds) {
    for (const [how, count] of Object.entries(round.failures)) failures.set(how, (failures.get(how) ?? 0) + count);
  }
  const told = [...failures].map(([how, count]) => `${count} ${how}`).join(", ");
  const longest = Math.max(...rounds.map(({ slowestFailureMs }) => slowestFailureMs));
  const recovered = rounds.map(({ recoveredMs }) => recoveredMs);
  return [
    "| calls to the connector that was left alone | calls/s | p50 ms | p99 ms | failed |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...STRETCHES.map(([when, words]) => {
      const folded = (of: (stretch: Stretch) => number): number => median(rounds.map(({ other }) => of(other[when])));
      const columns = [
        folded(({ callsPerSecond }) => callsPerSecond).toFixed(0),
        folded(({ p50Ms }) => p50Ms).toFixed(2),
        folded(({ p99Ms }) => p99Ms).toFixed(2),
        0,
      ];
      return `| ${[words, ...columns].join(" | ")} |`;
    }),
    "",
    `Calls to the one that was killed, ${rounds.length} times: ${told || "none failed"}; the slowest took ${longest.toFixed(0)} ms to fail. From its listening again to the end of the first good call: ${median(recovered).toFixed(0)} ms (${Math.min(...recovered).toFixed(0)} to ${Math.max(...recovered).toFixed(0)}).`,
    "",
  ].join("\n");
}
