import { LONGEST_DELAY_MS, systemHoldingTimers } from "@cortex-os/mcp-core";
import { adviceOn, errnoOf } from "@cortex-os/mcp-registry";
import type { Io } from "./io.js";
import { processIo } from "./process-io.js";
import { reportFailure } from "./report-failure.js";

/** A program: what follows its name, and the process it may touch. Resolves with its exit code. */
export type Program = (argv: readonly string[], io: Io) => Promise<number>;

/** Runs `program` as this process: with its arguments and signals, and with its exit code when it is done. Exits 70 on a bug. */
export async function runProcess(program: Program): Promise<void> {
  const fatalListeners = new Set<(error: unknown) => void>();
  const io = processIo(fatalListeners);
  const die = (error: unknown): void => {
    for (const listener of fatalListeners) listener(error);
    if (fatalListeners.size === 0) reportFailure(error, false, io);
    process.exit(70);
  };
  process.on("uncaughtException", die).on("unhandledRejection", die);
  process.stdout.on("error", (error) => {
    const serving = process.listenerCount("SIGTERM") > 0;
    // Whoever reads us may go away (`| head`): that ends us, unless we serve others, and is no failure.
    const isUnread = errnoOf(error) === "EPIPE";
    if (!isUnread) io.err(`cortex-mcp: cannot write to standard output: ${adviceOn(error)}`);
    if (!serving) process.exit(isUnread ? 0 : 1);
  });
  process.stderr.on("error", () => {});
  // Background timers do not hold Node open; a program that is not done does.
  const letGo = systemHoldingTimers.after(LONGEST_DELAY_MS, () => {});
  const code = await program(process.argv.slice(2), io);
  // A write that failed is told a little later.
  await new Promise<void>((resolve) => process.stdout.write("", () => setImmediate(resolve)));
  letGo();
  process.exit(code);
}
