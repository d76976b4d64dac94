import type { AddJsonFlags } from "./actions/add-json.js";
import { withJson, type RegisterCommand } from "./command-context.js";

/** `add-json NAME JSON`: an entry as clients' files have it (`type`, `url`) or as `servers.json` has it. */
export const registerAddJson: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("add-json"))
    .description("add a server from its JSON, as clients' files and servers.json have it")
    .argument("<name>", "1 to 32 letters, digits, '_' or '-'")
    .argument("<json>", `such as '{"type":"http","url":"https://host/mcp"}' or '{"command":"npx","args":["-y","x"]}'`)
    .option("-f, --force", "replace a server of that name")
    .action(async (name: string, json: string, flags: AddJsonFlags) => {
      const { addJson } = await import("./actions/add-json.js");
      finish(await addJson(io, name, json, flags));
    });
};
