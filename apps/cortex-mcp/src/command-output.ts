import type { OutputConfiguration } from "commander";
import type { Io } from "./io.js";

/** How commander writes: help and version to standard output, without colours; errors not at all, they come as exceptions too. */
export function commandOutput(io: Pick<Io, "out" | "terminal">): OutputConfiguration {
  return {
    writeOut: (text) => {
      io.out(text.trimEnd());
    },
    writeErr: () => {},
    getOutHelpWidth: () => io.terminal.columns,
    getOutHasColors: () => false,
  };
}
