import type { Command } from "commander";
import type { Io } from "../io.js";

/** What a command is built with. */
export interface CommandContext {
  readonly io: Io;
  /** Says how the command ended; called once, at its end. */
  readonly finish: (exitCode: number) => void;
}

/** Adds one command, with its words and its action, to the program. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;

/** The flag that every command has. */
export interface JsonFlag {
  readonly json?: true;
}

/** Adds `--json` to a command. */
export function withJson(command: Command): Command {
  return command.option("--json", "print JSON");
}

/** For an option that may be given several times: `-e A=1 -e B=2`. */
export const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
