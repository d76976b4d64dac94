import { GatewayError, messageOf } from "@cortex-os/mcp-core";

/** A mistake that a person can mend: one line that says what, where and what to do; exit code 1. */
export function userError(message: string, options: ErrorOptions = {}): GatewayError {
  return new GatewayError("USER_INPUT", oneLine(message), options);
}

/** `text` without line breaks and runs of blanks: parsers like to quote what they could not read. */
export const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

/** The one-line message of whatever was thrown. */
export const reasonOf = (thrown: unknown): string => oneLine(messageOf(thrown));
