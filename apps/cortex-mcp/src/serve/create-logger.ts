import { BRAND, type Logger } from "@cortex-os/mcp-core";
import { pino } from "pino";
import { prettyLine } from "./pretty-line.js";

/** How a {@link createLogger} is made. */
export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Takes one line without its end. */
  readonly write: (line: string) => void;
  /** For a person at a terminal instead of JSON. */
  readonly pretty: boolean;
}

/** A logger that may be told to write more or less while it is used. */
export interface LeveledLogger extends Logger {
  /** The least important lines that are written, in the words of {@link LoggerOptions.level}. */
  level: string;
}

const SECRET_KEYS = ["headers", "env", "authorization", "cookie", "token", "apiKey", "password", "secret"];

/**
 * The gateway's logger: one line an event, JSON or, at a terminal, text. An `Error` under `err` is written with message and
 * stack. Nobody is meant to log a secret; should somebody, the usual keys are blacked out two levels deep.
 */
export function createLogger({ level, write, pretty }: LoggerOptions): LeveledLogger {
  return pino(
    {
      level,
      base: { brand: BRAND, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      // The libraries brand their lines themselves: twice the same member is what strict readers of JSON refuse.
      formatters: { level: (label) => ({ level: label }), log: ({ brand: _brand, ...fields }) => fields },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "***" },
    },
    {
      write: (line) => {
        write(pretty ? prettyLine(line) : line.trimEnd());
      },
    },
  );
}
