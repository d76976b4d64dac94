import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `enable NAME`. */
export const registerEnable: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("enable"))
    .description("serve a disabled server's tools again")
    .argument("<name>", "the server's name")
    .action(async (name: string, flags: JsonFlag) => {
      const { setDisabled } = await import("./actions/set-disabled.js");
      finish(await setDisabled(io, name, false, flags.json === true));
    });
};
