import { CommanderError } from "commander";
import type { Io } from "./io.js";
import { buildProgram } from "./program.js";
import { reportFailure } from "./report-failure.js";

/**
 * Runs one command line, `argv` being what follows the program's name. Never throws.
 *
 * @returns the exit code: 0, 1 for what the user can mend (one line on standard error), 70 for a bug of ours. With `--json`
 *   what went wrong is printed on standard output, as `{"error": {"code", "message"}}`.
 */
export function run(argv: readonly string[], io: Io): Promise<number> {
  return reportCommandLine(argv, io, async (finish) => {
    const words = argv.length === 0 ? ["--help"] : [...argv];
    const program = await buildProgram(words, { io, finish });
    await program.parseAsync(words, { from: "user" });
  });
}

/** Runs `parse`, which says by `finish` how it ended, and turns what it throws into output and exit code. Never throws. */
export async function reportCommandLine(
  argv: readonly string[],
  io: Io,
  parse: (finish: (exitCode: number) => void) => Promise<void>,
): Promise<number> {
  let exitCode = 0;
  try {
    await parse((code) => {
      exitCode = code;
    });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportFailure(error, asksForJson(argv), io);
  }
}

/** Whether the user asked for JSON: known before parsing, and so also when parsing fails. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).includes("--json");
}
