import { GatewayError } from "@cortex-os/mcp-core";
import type { Operation } from "../journal/operation.js";
import type { RegistryTable } from "./registry-table.js";

/** The most that all entries together may have, in bytes of RFC 8785 JSON: far less than what may be read. */
const MAX_CONTENT_BYTES = 8 * 1024 * 1024;
/** @throws GatewayError `USER_INPUT` when the registry would become larger than it may */
export function assertRoomFor(table: RegistryTable, operations: readonly Operation[]): void {
  const added = operations.reduce((sum, operation) => sum + (operation.op === "u" ? sizeOf(operation.v) : 0), 0);
  if (added === 0 || table.contentBytes + added <= MAX_CONTENT_BYTES) return;
  throw new GatewayError(
    "USER_INPUT",
    `the registry is full: all servers together may have ${MAX_CONTENT_BYTES} bytes`,
  );
}

const sizeOf = (raw: unknown): number => Buffer.byteLength(JSON.stringify(raw));
