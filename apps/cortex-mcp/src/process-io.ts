import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { isatty } from "node:tty";
import { systemClock, systemMonotonic, systemRandom, systemTimers } from "@cortex-os/mcp-core";
import type { Io, StopSignal } from "./io.js";
import { openBrowser } from "./oauth/open-browser.js";

const STOP_SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const NARROWEST_COLUMNS = 40;
const DEFAULT_COLUMNS = 120;

/** The {@link Io} of the process itself. */
export function processIo(fatalListeners: Set<(error: unknown) => void>): Io {
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    readInput: () => text(process.stdin),
    readLine: () => firstLine(process.stdin),
    streams: () => ({ input: process.stdin, output: process.stdout }),
    env: process.env,
    browse: (url) => {
      openBrowser(url);
    },
    cwd: process.cwd(),
    terminal: {
      in: isatty(0),
      out: isatty(1),
      err: isatty(2),
      columns: Math.max(NARROWEST_COLUMNS, isatty(1) ? process.stdout.columns : DEFAULT_COLUMNS),
    },
    onSignal(listener) {
      for (const signal of STOP_SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of STOP_SIGNALS) process.off(signal, listener);
      };
    },
    onFatal(listener) {
      fatalListeners.add(listener);
      return () => void fatalListeners.delete(listener);
    },
    exit: (code) => {
      process.exit(code);
    },
    system: { clock: systemClock, monotonic: systemMonotonic, timers: systemTimers, random: systemRandom },
  };
}

/** The first line that comes. Not as a terminal's editor, so that Ctrl-C stays the signal it is. */
export async function firstLine(input: Readable): Promise<string | undefined> {
  const lines = createInterface({ input, terminal: false });
  try {
    return await new Promise<string | undefined>((resolve) => {
      lines.once("line", resolve).once("close", () => {
        resolve(undefined);
      });
    });
  } finally {
    lines.close();
  }
}

/** What a shell reports for a process that died of `signal`. */
export const exitCodeOf = (signal: StopSignal): number => 128 + constants.signals[signal];
