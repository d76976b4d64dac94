import type { Readable, Writable } from "node:stream";
import type { Clock, Monotonic, RandomSource, Timers } from "@cortex-os/mcp-core";

/** Time and chance, handed in at the composition root (R17). */
export interface SystemPorts {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
}

/** Everything a command may touch of the process it runs in, so that a test runs it in its own. */
export interface Io {
  /** Writes one line to standard output. */
  readonly out: (line: string) => void;
  /** Writes one line to standard error. */
  readonly err: (line: string) => void;
  /** The whole of standard input, as UTF-8. */
  readonly readInput: () => Promise<string>;
  /** The next line of standard input without its end, or `undefined` when it ended before one. For one answer of a person: what follows is lost. */
  readonly readLine: () => Promise<string | undefined>;
  /** Standard input and output as streams of bytes, for a command that speaks a protocol over them. */
  readonly streams: () => { readonly input: Readable; readonly output: Writable };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working folder, absolute. */
  readonly cwd: string;
  /** Opens a URL of ours in the browser, if there is one. */
  readonly browse: (url: string) => void;
  /** Which of the standard streams are terminals, and how wide the terminal is in columns. */
  readonly terminal: { readonly in: boolean; readonly out: boolean; readonly err: boolean; readonly columns: number };
  /** Hears SIGINT, SIGTERM and SIGHUP instead of dying of them. Returns the way out. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** Hears of a bug that nobody caught, just before the process exits with 70. Returns the way out. */
  readonly onFatal: (listener: (error: unknown) => void) => () => void;
  /** Ends the process at once, without cleaning up. */
  readonly exit: (code: number) => void;
  readonly system: SystemPorts;
}

/** The signals that ask for an orderly end. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";
