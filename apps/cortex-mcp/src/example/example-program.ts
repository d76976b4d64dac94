import { Command } from "commander";
import { commandOutput } from "../command-output.js";
import type { Io } from "../io.js";
import { reportCommandLine } from "../run.js";
import { runExample } from "./run-example.js";

/** What `pnpm start` runs: the command line of the example. Resolves with the exit code. */
export function exampleProgram(argv: readonly string[], io: Io): Promise<number> {
  return reportCommandLine(argv, io, async (finish) => {
    const program = new Command("pnpm start")
      .description("Serves example servers, or those in .cortex, through one MCP endpoint.")
      .option("--empty", "without the example")
      .exitOverride()
      .configureOutput(commandOutput(io))
      .action(async (flags: { readonly empty?: true }) => {
        finish(await runExample({ empty: flags.empty === true }, io));
      });
    await program.parseAsync([...argv], { from: "user" });
  });
}
