import { homedir, userInfo } from "node:os";
import path from "node:path";
import { GatewayError } from "@cortex-os/mcp-core";

/** The environment variables that say where things are; `process.env` is one. */
export type PathEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The folder everything of ours lives under (R12): `$CORTEX_HOME`, else `$XDG_CONFIG_HOME/cortex-os`, else
 * `~/.config/cortex-os`. Absolute. An empty variable counts as unset, and so does a relative `XDG_CONFIG_HOME`, as the XDG
 * specification asks; a relative `CORTEX_HOME` is taken from the working folder.
 *
 * @throws GatewayError `USER_INPUT` when no variable says it and the system knows no home folder of this user
 */
export function cortexHome(env: PathEnvironment = process.env): string {
  const home = env["CORTEX_HOME"];
  if (home !== undefined && home !== "") return path.resolve(home);
  const config = env["XDG_CONFIG_HOME"];
  if (config !== undefined && path.isAbsolute(config)) return path.join(config, "cortex-os");
  const user = env["HOME"];
  return path.join(user === undefined || user === "" ? homeOfUser() : path.resolve(user), ".config", "cortex-os");
}

function homeOfUser(): string {
  try {
    // Node believes an empty HOME, the list of users does not ask it.
    return path.resolve(homedir() || userInfo().homedir);
  } catch (error) {
    const message = "the system knows no home folder of this user; set CORTEX_HOME to a folder of yours";
    throw new GatewayError("USER_INPUT", message, { cause: error });
  }
}

/** The folder of the registry, the configuration and the gateway's state: `mcp` in {@link cortexHome}. */
export function mcpHome(env: PathEnvironment = process.env): string {
  return path.join(cortexHome(env), "mcp");
}

/** Where the registry is: `servers.json` in {@link mcpHome}. */
export function registryPath(env: PathEnvironment = process.env): string {
  return path.join(mcpHome(env), "servers.json");
}
