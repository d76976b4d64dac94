import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";
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
  if (command.includes("/")) {
    const file = path.resolve(cwd, command);
    if (!(await isFile(file))) throw userError(`there is no file ${shown}; check the path`);
    if (!(await isExecutable(file))) {
      throw userError(`${shown} is not executable; chmod +x it, or name what runs it before it`);
    }
    return file;
  }
  const folders = (env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== "");
  for (const folder of folders) {
    const file = path.resolve(cwd, folder, command);
    if ((await isFile(file)) && (await isExecutable(file))) return command;
  }
  throw userError(`the command ${shown} was not found on PATH; install it, or give its full path`);
}

/** Whether an argument is the relative path of something that exists in `cwd`. */
export async function namesFile(arg: string, cwd: string): Promise<boolean> {
  if (arg === "" || arg.startsWith("-") || path.isAbsolute(arg)) return false;
  return exists(path.resolve(cwd, arg));
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  );

const isExecutable = (file: string): Promise<boolean> => can(file, constants.X_OK);

const exists = (file: string): Promise<boolean> => can(file, constants.F_OK);

const can = (file: string, mode: number): Promise<boolean> =>
  access(file, mode).then(
    () => true,
    () => false,
  );
