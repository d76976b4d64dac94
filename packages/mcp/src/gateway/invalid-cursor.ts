import { GatewayError } from "@cortex-os/mcp-core";

/** What is said to a cursor that is none of ours (2026-07-28, Pagination). */
export const invalidCursor = (): GatewayError =>
  new GatewayError("INVALID_PARAMS", "Invalid cursor: list again from the start");
