import { openRegistry } from "../registry.js";
import { reportChange } from "./change.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { findOwnServer } from "./find-server.js";

/** `remove NAME`. */
export const registerRemove: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("remove"))
    .description("remove a server")
    .argument("<name>", "the server's name")
    .action(async (name: string, flags: JsonFlag) => {
      const registry = openRegistry(io);
      const entry = await findOwnServer(io, registry, name);
      await registry.drop(name);
      await reportChange(io, { verb: "removed", text: `Removed ${JSON.stringify(name)}.`, entry }, flags.json === true);
      finish(0);
    });
};
