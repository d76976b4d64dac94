import { BRAND, messageOf, type Logger } from "@cortex-os/mcp-core";

/** A logger of somebody else's making: methods that it lacks are silent. */
export type CallersLogger = Partial<Logger>;

/**
 * Makes a caller's logger fit for our parts: every line carries the brand (R16), and where an error stands under `err`, its message stands under
 * `error`, because not every logger serialises errors. A logger that throws loses its line and disturbs nothing.
 */
export function brandedLogger(logger: CallersLogger): Logger {
  const method =
    (level: keyof Logger): Logger[keyof Logger] =>
    (fields, message) => {
      const error = "err" in fields && !("error" in fields) ? { error: messageOf(fields["err"]) } : {};
      try {
        logger[level]?.({ brand: BRAND, ...fields, ...error }, message);
      } catch {
        // There is nowhere to say it.
      }
    };
  return { debug: method("debug"), info: method("info"), warn: method("warn"), error: method("error") };
}
