import { GatewayError, messageOf } from "@cortex-os/mcp-core";

/** An error in words, with its code. */
export function described(error: unknown): string {
  const code = error instanceof Error && "code" in error ? `${String(error.code)}: ` : "";
  return `${error instanceof Error ? error.name : typeof error} ${code}${messageOf(error)}`;
}

/** Whether it is what the registry throws when the disk fails: anything else is a bug, `INTERNAL` included. */
export const isIoRefusal = (error: unknown): boolean => GatewayError.is(error) && error.code === "REGISTRY_IO";
