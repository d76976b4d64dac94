import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemMonotonic, systemRandom, systemTimers } from "@cortex-os/mcp-core";
import { onTestFinished } from "vitest";
import type { Io, StopSignal } from "../io.js";
import { run } from "../run.js";

/** An {@link Io} that keeps what it is told, in a home and a working folder of its own. */
export interface TestIo extends Io {
  /** `CORTEX_HOME`. */
  readonly home: string;
  readonly outLines: string[];
  readonly errLines: string[];
  /** Codes that `exit` was called with. */
  readonly exits: number[];
  /** URLs that the browser was sent to. */
  readonly browsed: string[];
  /** Standard input, to be written to, and standard output, to be read from, as a command's streams. */
  readonly stdio: { readonly input: PassThrough; readonly output: PassThrough };
  /** How many listen for signals and for bugs: a leak check. */
  readonly listening: () => number;
  readonly signal: (signal: StopSignal) => void;
  readonly fatal: (error: unknown) => void;
  /** Runs a command line and gives what came of it; lines of earlier runs are not in it. */
  readonly run: (...argv: readonly string[]) => Promise<Ran>;
}

/** What came of one command line. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Settings of a {@link createTestIo} that differ from a process without a terminal. */
export interface TestIoOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input: all of it for `readInput`, line by line for `readLine`. */
  readonly input?: string;
  readonly terminal?: boolean;
  readonly columns?: number;
}

/** A folder that is gone after the test. Its path has no links in it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "cortex-mcp-test-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A fresh home, and an {@link Io} to run commands in it. */
export async function createTestIo(options: TestIoOptions = {}): Promise<TestIo> {
  const folder = await temporaryFolder();
  const home = path.join(folder, "home");
  const { env = {}, input = "", terminal = false, columns = 120 } = options;
  const answers = input === "" ? [] : input.split("\n");
  const outLines: string[] = [];
  const errLines: string[] = [];
  const exits: number[] = [];
  const browsed: string[] = [];
  const stdio = { input: new PassThrough(), output: new PassThrough() };
  const signals = new Set<(signal: StopSignal) => void>();
  const fatals = new Set<(error: unknown) => void>();
  const io: Io = {
    out: (line) => outLines.push(line),
    err: (line) => errLines.push(line),
    readInput: async () => input,
    readLine: async () => answers.shift(),
    streams: () => stdio,
    env: { PATH: process.env["PATH"], HOME: folder, CORTEX_HOME: home, ...env },
    cwd: folder,
    terminal: { in: terminal, out: terminal, err: terminal, columns },
    onSignal: (listener) => {
      signals.add(listener);
      return () => void signals.delete(listener);
    },
    onFatal: (listener) => {
      fatals.add(listener);
      return () => void fatals.delete(listener);
    },
    exit: (code) => exits.push(code),
    browse: (url) => browsed.push(url),
    system: { clock: systemClock, monotonic: systemMonotonic, timers: systemTimers, random: systemRandom },
  };
  return {
    ...io,
    home,
    outLines,
    errLines,
    exits,
    browsed,
    stdio,
    listening: () => signals.size + fatals.size,
    signal: (signal) => {
      for (const listener of signals) listener(signal);
    },
    fatal: (error) => {
      for (const listener of fatals) listener(error);
    },
    run: async (...argv) => {
      const [outBefore, errBefore] = [outLines.length, errLines.length];
      const code = await run(argv, io);
      return { code, out: outLines.slice(outBefore).join("\n"), err: errLines.slice(errBefore).join("\n") };
    },
  };
}
