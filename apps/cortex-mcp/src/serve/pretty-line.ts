import { z } from "zod";

const Line = z.looseObject({
  level: z.string(),
  time: z.string(),
  msg: z.string().default(""),
  err: z.unknown().optional(),
});
const LoggedError = z.looseObject({ stack: z.string() });

/** Where the time of day stands in an RFC 3339 time. */
const TIME_OF_DAY = [11, 23] as const;

/** A JSON log line as a person reads it: time of day, level, message, fields, and the stack of an error below. */
export function prettyLine(json: string): string {
  const { level, time, msg, err, pid: _pid, ...fields } = Line.parse(JSON.parse(json));
  const shown = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const head = [time.slice(...TIME_OF_DAY), level.toUpperCase().padEnd(5), msg, ...shown].join(" ");
  const failure = LoggedError.safeParse(err);
  return failure.success ? `${head}\n${failure.data.stack}` : head;
}
