import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `tools`: everything that clients are offered. */
export const registerTools: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("tools"))
    .description("list the tools that clients are offered")
    .action(async (flags: JsonFlag) => {
      const { tools } = await import("./actions/tools.js");
      finish(await tools(io, flags.json === true));
    });
};
