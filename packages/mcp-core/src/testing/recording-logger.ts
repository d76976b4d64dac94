import type { Logger, LogMethod } from "../logger.js";

/** One line a {@link RecordingLogger} was given. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps its lines for a test to look at. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];
  readonly debug = this.#method("debug");
  readonly info = this.#method("info");
  readonly warn = this.#method("warn");
  readonly error = this.#method("error");

  /** The messages of one level, in order. */
  messages(level: LogLine["level"]): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }

  #method(level: LogLine["level"]): LogMethod {
    return (fields, message) => {
      this.lines.push({ level, fields, message });
    };
  }
}
