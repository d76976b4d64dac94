import { GatewayError, type GatewayErrorCode } from "@cortex-os/mcp-core";
import { connectorName } from "../http/failures.js";

/** An error that names the connector. @param data goes to the client */
export function connectorFailure(
  key: string,
  code: GatewayErrorCode,
  what: string,
  data?: Readonly<Record<string, unknown>>,
): GatewayError {
  return new GatewayError(code, `${connectorName(key)}: ${what}`, data === undefined ? {} : { data });
}
