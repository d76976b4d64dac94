import { GatewayError, type ServerInfo } from "@cortex-os/mcp-core";
import { RegistryItem } from "./registry-item.js";

/**
 * A copy that the caller cannot change, with what JSON cannot hold left out, as it will be read back.
 *
 * @throws GatewayError `USER_INPUT` for what `ServerInfoSchema` refuses, and for what is too long to be served
 */
export function checkedCopy(si: ServerInfo): ServerInfo {
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(si));
  } catch (error) {
    throw new GatewayError("USER_INPUT", "the server cannot be written as JSON", { cause: error });
  }
  const { entry, reason } = RegistryItem.of(copy);
  if (entry !== undefined) return entry;
  throw new GatewayError("USER_INPUT", `not a usable server: ${reason}`);
}
