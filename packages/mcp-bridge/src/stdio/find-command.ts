import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";
import { GatewayError } from "@cortex-os/mcp-core";

/** Where a child is to be started, every default filled in. */
export interface CommandPlace {
  /** The `PATH` that the child will see. */
  readonly path: string;
  /** The child's working folder, absolute or relative to the gateway's. */
  readonly cwd: string;
}

/**
 * Finds what a command means before anything is spawned, so that a missing one has a reason a person can act on.
 *
 * A name without a slash is looked up on `PATH`, any other is taken relative to `cwd`.
 * @returns the absolute path of an executable file. Absolute, so that the lifeline's shell can never take it for a builtin
 * @throws GatewayError UPSTREAM_UNAVAILABLE if `cwd` is no folder or the command is not to be found
 */
export async function findCommand(command: string, { path: searchPath, cwd }: CommandPlace): Promise<string> {
  if (!(await isFolder(cwd))) {
    throw unavailable(
      `its working folder ${JSON.stringify(cwd)} does not exist: create it, or correct the entry's cwd`,
    );
  }
  const named = JSON.stringify(command);
  if (command.includes("/")) {
    const file = path.resolve(cwd, command);
    if (await isExecutable(file)) return file;
    throw unavailable(`command ${named} does not exist or is not executable: correct the entry's command`);
  }
  for (const folder of searchPath.split(path.delimiter)) {
    const file = path.resolve(cwd, folder, command);
    if (command !== "" && (await isExecutable(file))) return file;
  }
  throw unavailable(`command ${named} was not found on PATH: install it, or give its full path`);
}

const unavailable = (reason: string): GatewayError => new GatewayError("UPSTREAM_UNAVAILABLE", reason);

async function isFolder(name: string): Promise<boolean> {
  try {
    return (await stat(name)).isDirectory();
  } catch {
    return false;
  }
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
