/** Writes one structured line. The shape is pino's, and a pino logger is one. */
export type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/**
 * What every part of the gateway logs through (R16).
 *
 * Fields never hold a secret, and never a tool's arguments at `info` or above. An `Error` goes under the key
 * `err`, where pino serialises message and stack; under any other key it would print as `{}`.
 */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

/** A logger that says nothing, for callers that were given none. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

/** On every line, under `brand` (R16). */
export const BRAND = "brAInwav";

/** Says the same through `logger`, with the brand on every line: for what takes a logger of somebody else's making. */
export function branded(logger: Logger): Logger {
  const method =
    (level: keyof Logger): LogMethod =>
    (fields, message) => {
      logger[level]({ brand: BRAND, ...fields }, message);
    };
  return { debug: method("debug"), info: method("info"), warn: method("warn"), error: method("error") };
}
