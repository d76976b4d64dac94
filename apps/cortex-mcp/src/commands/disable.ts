import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `disable NAME`. */
export const registerDisable: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("disable"))
    .description("keep a server but stop serving its tools")
    .argument("<name>", "the server's name")
    .action(async (name: string, flags: JsonFlag) => {
      const { setDisabled } = await import("./actions/set-disabled.js");
      finish(await setDisabled(io, name, true, flags.json === true));
    });
};
