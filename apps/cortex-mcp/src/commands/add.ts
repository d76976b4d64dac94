import { collected, withJson, type RegisterCommand } from "./command-context.js";
import type { AddFlags } from "./actions/add.js";

const EXAMPLES = `
Examples:
  cortex-mcp add docs https://docs.example/mcp -H 'Authorization: Bearer TOKEN'
  cortex-mcp add memory -e MEMORY_FILE_PATH=/data/memory.json -- npx -y @modelcontextprotocol/server-memory`;

/** `add NAME [-t …] [-e K=V]… [-H 'K: V']… (URL | -- CMD ARGS…)`: the same words as `claude mcp add`. */
export const registerAdd: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("add"))
    .description("add a server: a URL, or a command after --")
    .argument("<name>", "1 to 32 letters, digits, '_' or '-'")
    .argument("[target]", "URL of the server, or the command that starts it")
    .argument("[args...]", "arguments of the command")
    .option("-t, --transport <transport>", "http, sse or stdio; guessed from the target when left out")
    .option("-e, --env <K=V>", "environment variable of the command; repeat for more", collected)
    .option("-H, --header <K: V>", "HTTP header to send; repeat for more", collected)
    .option("-f, --force", "replace a server of that name")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, target: string | undefined, args: readonly string[], flags: AddFlags) => {
      const { add } = await import("./actions/add.js");
      const { transport, env = [], header = [], force, json } = flags;
      finish(
        await add(io, { name, target, args, transport, env, header }, { force: force === true, json: json === true }),
      );
    });
};
