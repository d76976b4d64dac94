import { withJson, type RegisterCommand } from "./command-context.js";
import type { ListFlags } from "./actions/list.js";

/** `list`: every server of the registry and of the service map, with its live state. */
export const registerList: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("list"))
    .description("list the servers and how they are")
    .option("--show-secrets", "with --json: do not mask headers, environment and keys")
    .action(async (flags: ListFlags) => {
      const { list } = await import("./actions/list.js");
      finish(await list(io, flags));
    });
};
