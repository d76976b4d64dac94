import { OWN_NOTIFICATIONS } from "@cortex-os/mcp-bridge";
import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";

/**
 * The last line to a relay of ours when a gateway ends in good order: whatever it read is answered, and what has no answer was not read. The relay can send that again,
 * to another gateway, even what must never be carried out twice. It is between a gateway and a relay: no MCP client sees it.
 */
export const FAREWELL: JsonRpcNotification = { jsonrpc: "2.0", method: `${OWN_NOTIFICATIONS}farewell` };

/** {@link FAREWELL} of a gateway that makes room for another: the relay waits for that one instead of becoming the gateway itself. */
export const FAREWELL_TO_SUCCESSOR: JsonRpcNotification = { ...FAREWELL, params: { successor: true } };
