import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `reload`: what the running gateway does by itself when a file changes, done now and told. */
export const registerReload: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("reload"))
    .description("have the running gateway read configuration, registry and service map again")
    .action(async (flags: JsonFlag) => {
      const { reload } = await import("./actions/reload.js");
      finish(await reload(io, flags));
    });
};
