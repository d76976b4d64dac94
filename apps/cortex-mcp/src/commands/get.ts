import { withJson, type RegisterCommand } from "./command-context.js";
import type { GetFlags } from "./actions/get.js";

/** `get NAME`: one server, with its secrets masked unless they are asked for. */
export const registerGet: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("get"))
    .description("show one server")
    .argument("<name>", "the server's name")
    .option("--show-secrets", "do not mask headers, environment and keys")
    .action(async (name: string, flags: GetFlags) => {
      const { get } = await import("./actions/get.js");
      finish(await get(io, name, flags));
    });
};
