import type { Cell } from "./summary.js";

/** One bar: whose, how long, and what stands beside it. */
interface Bar {
  readonly label: string;
  readonly value: number;
  readonly shown: string;
}

const WIDTH = 720;
const LABEL_WIDTH = 170;
const BAR_WIDTH = 400;
const LINE = 26;
const HEADING = 40;
const GAP = 8;

/** Readable on a light page and on a dark one. */
const STYLE =
  "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.bar{fill:#8c959f}.ours{fill:#0969da}" +
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#58a6ff}}";

/**
 * The rows of one concurrency as a picture: calls a second, CPU a call and latencies of each way. The same rows give the same text.
 * @param title what was measured
 * @param ours the way that is set off from the others
 */
export function plotOf(title: string, cells: readonly Cell[], ours: string): string {
  const panels: readonly (readonly [heading: string, bars: readonly Bar[]])[] = [
    ["calls a second (more is better)", barsOf(cells, ({ callsPerSecond }) => callsPerSecond, 0)],
    ["CPU µs a call of the process in the middle (less is better)", barsOf(cells, ({ cpuMicros }) => cpuMicros, 0)],
    ["latency in ms, median (less is better)", barsOf(cells, ({ p50Ms }) => p50Ms, 2)],
    ["latency in ms, p99 (less is better)", barsOf(cells, ({ p99Ms }) => p99Ms, 2)],
  ];
  const parts: string[] = [`<text class="title" x="0" y="20">${escaped(title)}</text>`];
  let y = HEADING;
  for (const [heading, bars] of panels) {
    parts.push(`<text x="0" y="${y + GAP * 2}">${escaped(heading)}</text>`);
    y += HEADING - GAP;
    const longest = Math.max(...bars.map(({ value }) => value));
    for (const { label, value, shown } of bars) {
      const width = ((value / longest) * BAR_WIDTH).toFixed(1);
      const kind = label === ours ? "bar ours" : "bar";
      const base = y + LINE / 2 + GAP / 2;
      parts.push(
        `<text x="${LABEL_WIDTH - GAP}" y="${base}" text-anchor="end">${escaped(label)}</text>`,
        `<rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${LINE - GAP}"/>`,
        `<text x="${(LABEL_WIDTH + Number(width) + GAP).toFixed(1)}" y="${base}">${shown}</text>`,
      );
      y += LINE;
    }
    y += GAP;
  }
  const box = `width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}"`;
  const name = `role="img" aria-label="${escaped(title)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} ${name}>\n<style>${STYLE}</style>\n${parts.join("\n")}\n</svg>\n`;
}

function barsOf(cells: readonly Cell[], of: (cell: Cell) => number | undefined, digits: number): readonly Bar[] {
  return cells.flatMap((cell) => {
    const value = of(cell);
    return value === undefined ? [] : [{ label: cell.way, value, shown: value.toFixed(digits) }];
  });
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
