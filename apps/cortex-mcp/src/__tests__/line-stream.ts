import type { Readable } from "node:stream";

/** The lines that a stream brings, as they come. */
export interface LineStream {
  readonly lines: readonly string[];
  /** The same, parsed. */
  readonly messages: readonly unknown[];
  pause(): void;
  resume(): void;
}

/** Reads `stream` line by line. */
export function lineStream(stream: Readable): LineStream {
  const lines: string[] = [];
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString("utf8")).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  stream.on("error", () => {});
  return {
    lines,
    get messages() {
      return lines.map((line) => JSON.parse(line) as unknown);
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
  };
}
