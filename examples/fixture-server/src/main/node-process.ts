import type { StdioProcess } from "./run-stdio.js";

/** The process these programs run in. */
export const nodeProcess: StdioProcess = {
  argv: process.argv.slice(2),
  input: process.stdin,
  output: process.stdout,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  crash: () => process.exit(1),
  onSignal(signals, task) {
    for (const signal of signals) process.on(signal, task);
  },
};
