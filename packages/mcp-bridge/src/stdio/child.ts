import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { GatewayError, messageOf, type Logger, type Timers } from "@cortex-os/mcp-core";
import type { QueuedLine } from "../channel/queued-line.js";
import { redactorOf } from "../redact.js";
import { childEnvironment } from "./environment.js";
import { findCommand } from "./find-command.js";
import { LineReader, type LineSink } from "./framing.js";
import { behindLifeline, LIFELINE_FD } from "./lifeline.js";
import { LineWriter } from "./line-writer.js";
import { isGroupGone, signalGroup } from "./process-group.js";
import { lastWords, StderrTail } from "./stderr-tail.js";

/** What to run, how, and who hears of it. */
export interface ChildOptions {
  /** For log lines. */
  readonly connectorId: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The entry's own variables; their values are secrets. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The environment of which the child gets a minimal part. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  readonly timers: Timers;
  readonly logger: Logger;
  /** How long a stop waits after closing stdin, and again after SIGTERM, in milliseconds. */
  readonly graceMs: number;
  /** Longest line on stdout in bytes; a longer one is cut. */
  readonly maxLineBytes: number;
  /** How much may wait for a child that does not read, in bytes. */
  readonly maxQueuedBytes: number;
  /** Each line of stdout. */
  readonly onLine: LineSink;
  /** The first byte on stdout or stderr: the child has begun to run. */
  readonly onFirstSound: () => void;
  /** The child exited, and not because it was stopped; its output has been read. Called once; the reason holds no secret. */
  readonly onEnd: (reason: string, detail: string | undefined) => void;
}

/** How long the last output of a child that has exited is waited for, in milliseconds: what left its group may hold the stream open. */
const SETTLE_MS = 250;
/** How long a killed group is waited for. SIGKILL cannot be ignored, but a process stuck in the kernel can outlast it. */
const GONE_MS = 10_000;
const LONGEST_POLL_MS = 50;

/**
 * One supervised child process with its whole process group: spawned behind a lifeline, its stderr always drained, stopped so that
 * nothing of it is left (design.md, contracts: Children; reliability.md, 5.1).
 */
export class Child {
  readonly #options: ChildOptions;
  readonly #group: number;
  readonly #writer: LineWriter;
  readonly #stderr: StderrTail;
  readonly #exited: Promise<void>;
  readonly #gone: Promise<void>;
  #hasExited = false;
  #ended = false;
  #stopping: Promise<void> | undefined;

  /**
   * Starts the command.
   *
   * @throws GatewayError UPSTREAM_UNAVAILABLE if the command or its folder is not there (nothing was spawned then), or if the
   *   system refuses to start a process (too many of them, too long an argument list)
   */
  static async start(options: ChildOptions): Promise<Child> {
    const env = childEnvironment(options.hostEnv, options.env);
    const cwd = options.cwd ?? process.cwd();
    const found = await findCommand(options.command, { path: env["PATH"] ?? "", cwd });
    const { file, args } = behindLifeline(found, options.args);
    if ([...args, ...Object.entries(env).flat()].some((text) => text.includes("\0"))) {
      throw notStarted(options.command, "an argument or a variable of its entry holds a NUL character");
    }
    try {
      // Detached: a session and process group of its own, so that one signal reaches all that descends from it.
      const child = spawn(file, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe", "pipe"] });
      const failed = new Promise<never>((_, reject) => child.on("error", reject));
      return child.pid === undefined ? await failed : new Child(options, child, child.pid);
    } catch (error) {
      // Not as a cause: Node's error carries the arguments, which may hold secrets.
      throw notStarted(options.command, messageOf(error));
    }
  }

  private constructor(options: ChildOptions, child: ChildProcess, pid: number) {
    const { connectorId, logger } = options;
    this.#options = options;
    this.#group = pid;
    const redact = redactorOf(Object.values(options.env));
    this.#stderr = new StderrTail({
      redact,
      onLine: (line) => {
        logger.debug({ connectorId, line }, "Connector wrote to stderr");
      },
    });
    const { stdin, stdout, stderr, lifeline } = streamsOf(child);
    this.#writer = new LineWriter(stdin, options.maxQueuedBytes);
    this.#listen(stdout, stderr);
    // The streams break with the process, whose exit tells more.
    for (const stream of [stdin, lifeline]) stream.on("error", () => {});
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#hasExited = true;
        resolve();
        // The server is gone; what it leaves behind in its group goes with it.
        signalGroup(pid, "SIGKILL");
        lifeline.destroy();
        const reason = `its process ${describeExit(code, signal)}`;
        void this.#within(closed, SETTLE_MS).then(() => {
          this.#end(reason);
        });
      });
    });
    this.#gone = this.#exited.then(() => this.#untilGroupIsGone());
  }

  /** The id of the process group, for tests and log lines. */
  get group(): number {
    return this.#group;
  }

  /** The last line it wrote to stderr, redacted and short; empty when there was none. */
  get lastLine(): string {
    return this.#stderr.lastLine;
  }

  /** Sends one line (with its newline); `undefined` when the child does not read and too much waits already. */
  write(line: string): QueuedLine | undefined {
    return this.#writer.write(line);
  }

  /**
   * Ends the child: closes its stdin and waits, then SIGTERM to the group and waits, then SIGKILL (2026-07-28, stdio, Shutdown).
   *
   * @param now skips to SIGKILL, also while a gentler stop is under way
   * @returns when no process of the group is left. Idempotent; never rejects
   */
  async stop(now = false): Promise<void> {
    this.#ended = true;
    if (now && !this.#hasExited) signalGroup(this.#group, "SIGKILL");
    await (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#writer.close();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await this.#within(this.#exited, this.#options.graceMs)) break;
      signalGroup(this.#group, signal);
    }
    if (await this.#within(this.#gone, GONE_MS)) return;
    const { connectorId, logger } = this.#options;
    logger.error({ connectorId, group: this.#group }, "Processes of a connector could not be killed");
  }

  #listen(stdout: Readable, stderr: Readable): void {
    const reader = new LineReader(this.#options.maxLineBytes, this.#options.onLine);
    stdout.once("data", this.#options.onFirstSound);
    stderr.once("data", this.#options.onFirstSound);
    stdout.on("data", (chunk: Buffer) => {
      reader.push(chunk);
    });
    stdout.once("end", () => {
      reader.end();
    });
    stderr.on("data", (chunk: Buffer) => {
      this.#stderr.push(chunk);
    });
    stderr.once("end", () => {
      this.#stderr.end();
    });
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onEnd(reason, lastWords(this.#stderr.lastLine));
  }

  async #untilGroupIsGone(): Promise<void> {
    for (let waitMs = 1; !(await isGroupGone(this.#group)); waitMs = Math.min(2 * waitMs, LONGEST_POLL_MS)) {
      await new Promise<void>((resolve) => this.#options.timers.after(waitMs, resolve));
    }
  }

  /** Whether `event` came within so many milliseconds. */
  #within(event: Promise<void>, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#options.timers.after(ms, () => {
        resolve(false);
      });
      void event.then(() => {
        cancel();
        resolve(true);
      });
    });
  }
}

const notStarted = (command: string, why: string): GatewayError =>
  new GatewayError("UPSTREAM_UNAVAILABLE", `command ${JSON.stringify(command)} could not be started: ${why}`);

interface Streams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly lifeline: Readable | Writable;
}

function streamsOf({ stdin, stdout, stderr, stdio }: ChildProcess): Streams {
  const lifeline = stdio[LIFELINE_FD];
  if (stdin === null || stdout === null || stderr === null || lifeline === null || lifeline === undefined) {
    throw new GatewayError("INTERNAL", "a child was spawned without pipes");
  }
  return { stdin, stdout, stderr, lifeline };
}

/** What an exit was, in words. The lifeline's shell passes a server's death by signal on as 128 + its number. */
export function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `was killed by ${signal}`;
  const number = (code ?? 0) - 128;
  const passedOn = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return passedOn === undefined ? `exited with code ${code ?? 0}` : `was killed by ${passedOn}`;
}
