import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `logout NAME`: forgets what a server was authorised with, whether there is still such a server or not. */
export const registerLogout: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("logout"))
    .description("forget the tokens of a server")
    .argument("<name>", "the server's name")
    .action(async (name: string, flags: JsonFlag) => {
      const { logout } = await import("./actions/logout.js");
      finish(await logout(io, name, flags));
    });
};
