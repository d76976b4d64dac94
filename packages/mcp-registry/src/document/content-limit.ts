import { GatewayError } from "@cortex-os/mcp-core";
import type { Operation } from "../journal/operation.js";
import type { RegistryTable } from "./registry-table.js";

/** The most that all entries together may have, in bytes of RFC 8785 JSON: far less than what may be read. */
const MAX_CONTENT_BYTES = 8 * 1024 * 1024;

/** @throws GatewayError `USER_INPUT` when the registry would become larger than it may */
export function assertRoomFor(table: RegistryTable, operations: readonly Operation[]): void {
  const added = operations.reduce((sum, operation) => sum + growthOf(operation), 0);
  if (added <= 0 || table.contentBytes + added <= MAX_CONTENT_BYTES) return;
  throw new GatewayError(
    "USER_INPUT",
    `the registry is full: all servers together may have ${MAX_CONTENT_BYTES} bytes`,
  );
}

/** By how much an operation makes it longer; what takes nothing but away may always be done. */
function growthOf(operation: Operation): number {
  if (operation.op !== "u") return 0;
  return sizeOf(operation.v) - (operation.w === undefined ? 0 : sizeOf(operation.w));
}

const sizeOf = (raw: unknown): number => Buffer.byteLength(JSON.stringify(raw));
