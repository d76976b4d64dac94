import { GatewayError, WIRE_CODE } from "@cortex-os/mcp-core";

/** `JSON.stringify` gives up on what some upstream nested thousands of levels deep, although `JSON.parse` read it. */
export const tooDeep = (): GatewayError =>
  new GatewayError("UPSTREAM_PROTOCOL", "The connector's answer is nested too deeply to be passed on");

/** The statuses that the specification fixes for errors, whoever reports them (2026-07-28, Streamable HTTP): an upstream over stdio has no status of its own. */
export const FIXED_STATUS: ReadonlyMap<number, number> = new Map([
  [WIRE_CODE.METHOD_UNKNOWN, 404],
  [WIRE_CODE.HEADER_MISMATCH, 400],
  [WIRE_CODE.CAPABILITY_MISSING, 400],
  [WIRE_CODE.VERSION_UNSUPPORTED, 400],
]);
