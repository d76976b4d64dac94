import { withJson, type RegisterCommand } from "./command-context.js";
import type { ServeFlags } from "./actions/serve.js";

/** `serve`: the gateway over HTTP, until a signal ends it. */
export const registerServe: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("serve"))
    .description("serve every server through one MCP endpoint")
    .option("--host <host>", "address to listen on (default: 127.0.0.1)")
    .option("--port <port>", "TCP port to listen on, 0 for a free one (default: 7420)")
    .option("--config <file>", "configuration file (default: config.json in this home)")
    .action(async (flags: ServeFlags) => {
      const { serve } = await import("./actions/serve.js");
      finish(await serve(io, flags));
    });
};
