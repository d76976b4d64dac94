import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcErrorObject } from "@cortex-os/mcp-core/wire";
import { connectorName } from "../http/failures.js";
import { quoteUpstream } from "../upstream-text.js";

/** UPSTREAM_PROTOCOL: the upstream does not let the gateway listen. @param why its error, or the HTTP status that is all it said */
export function listenRefusal(key: string, why: JsonRpcErrorObject | number): GatewayError {
  const message = `${connectorName(key)} does not let the gateway listen for changes`;
  if (typeof why === "number") return new GatewayError("UPSTREAM_PROTOCOL", `${message}: HTTP ${why}`);
  const { code, message: said } = why;
  const text = `${message}: error ${code} ${quoteUpstream(said)}`;
  return new GatewayError("UPSTREAM_PROTOCOL", text, { data: { upstreamCode: code } });
}
