import { access, stat } from "node:fs/promises";
import path from "node:path";
import { findCommand } from "@cortex-os/mcp-bridge";
import type { Io } from "../io.js";
import { userError } from "../user-error.js";

type Place = Pick<Io, "cwd" | "env">;

/**
 * The command as it goes into the registry: a bare name stays one, to be looked up when it is started; a path becomes
 * absolute, because the gateway runs in another folder.
 *
 * @throws GatewayError USER_INPUT when there is no such command, or it may not be executed
 */
export async function checkedCommand(command: string, { cwd, env }: Place): Promise<string> {
  const shown = JSON.stringify(command);
  const isPath = command.includes("/");
  if (isPath && !(await isFile(path.resolve(cwd, command))))
    throw userError(`there is no file ${shown}; check the path`);
  try {
    const found = await findCommand(command, { path: env["PATH"] ?? "", cwd });
    return isPath ? found : command;
  } catch (error) {
    const problem = isPath
      ? `${shown} is not executable; chmod +x it, or name what runs it before it`
      : `the command ${shown} was not found on PATH; install it, or give its full path`;
    throw userError(problem, { cause: error });
  }
}

/** Whether an argument is the relative path of something that exists in `cwd`. */
export async function namesFile(arg: string, cwd: string): Promise<boolean> {
  if (arg === "" || arg.startsWith("-") || path.isAbsolute(arg)) return false;
  return access(path.resolve(cwd, arg)).then(
    () => true,
    () => false,
  );
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
