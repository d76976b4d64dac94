import type { Readable, Writable } from "node:stream";
import { MessageChannel } from "node:worker_threads";
import { serveFixtureStdio } from "../stdio/serve-fixture-stdio.js";
import { FlagError, parseFlags, type Flags } from "./flags.js";
import { optionsOf } from "./options-of.js";
import type { ProcessLike } from "./process-like.js";

/** What the stdio program needs of its process besides what every program does. */
export interface StdioProcess extends ProcessLike {
  readonly input: Readable;
  readonly output: Writable;
  /** Ends the process at once, with status 1. */
  readonly crash: () => void;
}

/**
 * Serves on the process's streams until its input ends. With `--ignore-eof` never returns, and SIGTERM does not end the
 * process either: what a gateway has to be able to get rid of.
 * @returns the exit status: 1, with one line on the error stream, for flags that cannot be meant
 */
export async function runStdio(process: StdioProcess): Promise<number> {
  let flags: Flags;
  try {
    flags = parseFlags("stdio", process.argv);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.err(error.message);
    return 1;
  }
  const { input, output, crash } = process;
  if (flags.ignoreEof) process.onSignal(["SIGTERM"], () => {});
  await serveFixtureStdio({ ...optionsOf(flags), input, output, ...(flags.allowCrash ? { exit: crash } : {}) });
  if (flags.ignoreEof) await forever();
  return 0;
}

/** Never resolves, and keeps the process alive meanwhile: an open port does that without a timer. */
async function forever(): Promise<never> {
  const { port1 } = new MessageChannel();
  return await new Promise<never>(() => {
    port1.on("message", () => {});
  });
}
