import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `remove NAME`. */
export const registerRemove: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("remove"))
    .description("remove a server")
    .argument("<name>", "the server's name")
    .action(async (name: string, flags: JsonFlag) => {
      const { remove } = await import("./actions/remove.js");
      finish(await remove(io, name, flags.json === true));
    });
};
