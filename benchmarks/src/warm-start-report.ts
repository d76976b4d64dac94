import { median } from "./statistics.js";
import type { WarmStartCell, WarmStartRound } from "./warm-start.js";

/** The table of all starts, as Markdown; medians over the rounds. What is on top of Node's own start is the median of the rounds' differences. */
export function warmStartReport(cells: readonly WarmStartCell[]): string {
  return [
    "| tools in the list | `node -e 0` ms | with the stored catalog ms | on top of Node's own start ms | with nothing stored ms | less |",
    "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ...cells.map(({ tools, rounds }) => {
      const folded = (of: (round: WarmStartRound) => number): number => median(rounds.map(of));
      const columns = [
        folded(({ nodeMs }) => nodeMs).toFixed(0),
        folded(({ warmMs }) => warmMs).toFixed(0),
        folded(({ nodeMs, warmMs }) => warmMs - nodeMs).toFixed(0),
        folded(({ coldMs }) => coldMs).toFixed(0),
        `${((1 - folded(({ coldMs, warmMs }) => warmMs / coldMs)) * 100).toFixed(1)} %`,
      ];
      return `| ${[tools, ...columns].join(" | ")} |`;
    }),
    "",
  ].join("\n");
}
