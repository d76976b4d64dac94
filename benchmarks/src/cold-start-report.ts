import { allUsableMs, atATime, FIRST, firstUsableMs, type ColdStartCell } from "./cold-start-process.js";
import { median } from "./statistics.js";

/** The table of all starts, as Markdown; medians over the rounds. */
export function coldStartReport(cells: readonly ColdStartCell[]): string {
  return [
    `| upstreams | started | endpoint open ms | first ${FIRST} usable ms | less | all usable ms | less | first \`tools/list\` ms | connectors in it |`,
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...cells.map((cell) => rowOf(cell, cells)),
    "",
  ].join("\n");
}

function rowOf(cell: ColdStartCell, cells: readonly ColdStartCell[]): string {
  const { transport, width, disturbed, rounds } = cell;
  const sequential = cells.find((other) => other.transport === transport);
  const less = (of: (times: ColdStartCell["rounds"][number]) => number): string => {
    if (sequential === undefined || sequential === cell) return "";
    const shares = rounds.flatMap((times, at) => {
      const before = sequential.rounds[at];
      return before === undefined ? [] : [1 - of(times) / of(before)];
    });
    return `${(median(shares) * 100).toFixed(1)} %`;
  };
  const ms = (of: (times: ColdStartCell["rounds"][number]) => number): string => median(rounds.map(of)).toFixed(0);
  const fewest = Math.min(...rounds.map(({ listed }) => listed));
  const started = disturbed ? `${atATime(width)}; one more is dead, one hangs` : atATime(width);
  const columns = [
    ms(({ answersMs }) => answersMs),
    ...[ms(firstUsableMs), less(firstUsableMs)],
    ...[ms(allUsableMs), less(allUsableMs)],
    ...[ms(({ listMs }) => listMs), fewest],
  ];
  return `| ${[transport, started, ...columns].join(" | ")} |`;
}
