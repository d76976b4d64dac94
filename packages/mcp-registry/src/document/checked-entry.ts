import { GatewayError, ServerInfoSchema, type ServerInfo } from "@cortex-os/mcp-core";
import { reasonOfIssues } from "./registry-item.js";

/**
 * A copy that the caller cannot change, with what JSON cannot hold left out, as it will be read back.
 *
 * @throws GatewayError `USER_INPUT` for what `ServerInfoSchema` refuses
 */
export function checkedCopy(si: ServerInfo): ServerInfo {
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(si));
  } catch (error) {
    throw new GatewayError("USER_INPUT", "the server cannot be written as JSON", { cause: error });
  }
  const parsed = ServerInfoSchema.safeParse(copy);
  if (parsed.success) return parsed.data;
  throw new GatewayError("USER_INPUT", `not a usable server: ${reasonOfIssues(parsed.error.issues)}`);
}
