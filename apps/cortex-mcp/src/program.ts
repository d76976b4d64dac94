import { Command } from "commander";
import { commandOutput } from "./command-output.js";
import { registerAdd } from "./commands/add.js";
import { registerAddJson } from "./commands/add-json.js";
import { registerCall } from "./commands/call.js";
import type { CommandContext } from "./commands/command-context.js";
import { addGroup } from "./commands/command-group.js";
import { GROUPS } from "./commands/groups.js";
import { registerDisable } from "./commands/disable.js";
import { registerEnable } from "./commands/enable.js";
import { registerGet } from "./commands/get.js";
import { registerList } from "./commands/list.js";
import { registerLogin } from "./commands/login.js";
import { registerLogout } from "./commands/logout.js";
import { registerReload } from "./commands/reload.js";
import { registerRemove } from "./commands/remove.js";
import { registerServe } from "./commands/serve.js";
import { registerStatus } from "./commands/status.js";
import { registerStdio } from "./commands/stdio.js";
import { registerTools } from "./commands/tools.js";
import { programVersion } from "./shipped-files.js";

const COMMANDS = [
  registerServe,
  registerStdio,
  registerAdd,
  registerAddJson,
  registerRemove,
  registerList,
  registerGet,
  registerEnable,
  registerDisable,
  registerLogin,
  registerLogout,
  registerTools,
  registerCall,
  registerStatus,
  registerReload,
];

/**
 * The command line for `words`: every command, and of the groups' words those that may be meant. What the commands do is loaded when they run. Parsing throws
 * commander's `CommanderError`, also after printing help or the version.
 */
export async function buildProgram(words: readonly string[], context: CommandContext): Promise<Command> {
  const program = new Command("cortex-mcp")
    .description("One MCP endpoint in front of many MCP servers.")
    .version(programVersion())
    .exitOverride()
    .configureOutput(commandOutput(context.io));
  for (const register of COMMANDS) register(program, context);
  for (const group of GROUPS) {
    const command = addGroup(program, group);
    if (words.includes(group.name)) (await group.load())(command, context);
  }
  return program;
}
