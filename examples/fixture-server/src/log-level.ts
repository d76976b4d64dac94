/** Severities of MCP's logging (RFC 5424), mildest first. */
export const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whether `value` is a severity by that very name. */
export const isLogLevel = (value: unknown): value is LogLevel => (LOG_LEVELS as readonly unknown[]).includes(value);

/** Whether a client that asked for `wanted` and worse is to see `level`; one that asked for nothing sees nothing. */
export const isLogged = (level: LogLevel, wanted: LogLevel | undefined): boolean =>
  wanted !== undefined && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(wanted);
