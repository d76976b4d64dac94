/** The levels of log messages, the least severe first (2025-11-25 and 2026-07-28, Logging; RFC 5424, 6.2.1). */
export const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whether `value` names a level. */
export const isLogLevel = (value: unknown): value is LogLevel => LOG_LEVELS.some((level) => level === value);

/** Whether a message of `level` is wanted by who asked for `threshold` and above. A level nobody knows is wanted by everybody. */
export function isLogWanted(level: unknown, threshold: LogLevel): boolean {
  return !isLogLevel(level) || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold);
}

/** The one of two levels that lets more through; `undefined` lets nothing through. */
export function moreVerbose(a: LogLevel | undefined, b: LogLevel | undefined): LogLevel | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isLogWanted(a, b) ? b : a;
}
