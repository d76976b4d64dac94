import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `call TOOL [JSON]`. */
export const registerCall: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("call"))
    .description("call a tool")
    .argument("<tool>", "its name, as cortex-mcp tools shows it")
    .argument("[json]", "its arguments, a JSON object; - reads them from standard input", "{}")
    .action(async (tool: string, json: string, flags: JsonFlag) => {
      const { call } = await import("./actions/call.js");
      finish(await call(io, tool, json, flags.json === true));
    });
};
