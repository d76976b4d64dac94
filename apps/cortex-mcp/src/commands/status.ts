import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `status`: the running gateway of this home and its connectors. */
export const registerStatus: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("status"))
    .description("show the running gateway")
    .action(async (flags: JsonFlag) => {
      const { status } = await import("./actions/status.js");
      finish(await status(io, flags.json === true));
    });
};
