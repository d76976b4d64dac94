import type { JsonObject } from "@cortex-os/mcp-core/wire";

/** Arguments a tool cannot work with; the client gets the message as an `isError` result. */
export class ToolInputError extends Error {
  override readonly name = "ToolInputError";
}

/** @throws ToolInputError unless `args[name]` is a string of at most `maxLength` characters */
export function stringArg(args: JsonObject, name: string, maxLength = Number.POSITIVE_INFINITY): string {
  const value = args[name];
  if (typeof value !== "string") throw new ToolInputError(`${name} must be a string`);
  if (value.length > maxLength) throw new ToolInputError(`${name} must have at most ${maxLength} characters`);
  return value;
}

/** @throws ToolInputError unless `args[name]` is a finite number */
export function numberArg(args: JsonObject, name: string): number {
  const value = args[name];
  if (typeof value !== "number") throw new ToolInputError(`${name} must be a number`);
  return value;
}

/**
 * @returns `args[name]`, or `fallback` when it is missing and there is one
 * @throws ToolInputError unless it is a whole number between `min` and `max`
 */
export function integerArg(args: JsonObject, name: string, min: number, max: number, fallback?: number): number {
  const value = args[name] ?? fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new ToolInputError(`${name} must be a whole number from ${min} to ${max}`);
  }
  return value;
}

/**
 * @returns `args[name]`, or `fallback` when it is missing and there is one
 * @throws ToolInputError unless it is a boolean
 */
export function booleanArg(args: JsonObject, name: string, fallback?: boolean): boolean {
  const value = args[name] ?? fallback;
  if (typeof value !== "boolean") throw new ToolInputError(`${name} must be true or false`);
  return value;
}
