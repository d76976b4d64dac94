import { GatewayError, type GatewayErrorCode } from "@cortex-os/mcp-core";
import { saysNothingOfEra } from "../http/detect-era.js";
import type { StreamEnd } from "../http/event-stream.js";
import { connectorName, statusFailure, UnreachableError } from "../http/failures.js";

/** Nothing that came before the `endpoint` event tells of an HTTP+SSE server: whoever only tried believes what he knew before. */
export class NoSseServerError extends GatewayError {
  constructor(key: string, what: string, code: GatewayErrorCode = "UPSTREAM_PROTOCOL") {
    super(
      code,
      `${connectorName(key)} ${what}: there is no server of the old HTTP+SSE transport at this address; check the URL`,
    );
  }
}

/** Why there is no connection, when its stream came to this end before its `endpoint` event. */
export function unopenedFailure(key: string, end: StreamEnd): GatewayError {
  if (end.kind === "unreachable") return new UnreachableError(key, end.error);
  if (end.kind === "ended") return new NoSseServerError(key, "ended its answer to GET without an endpoint event");
  const { status, text } = end;
  if (saysNothingOfEra(status)) return statusFailure(key, status, text);
  const what =
    status === 200 ? "answered GET with something else than an event stream" : `answered HTTP ${status} to GET`;
  return new NoSseServerError(key, what);
}
