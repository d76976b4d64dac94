import type { Command } from "commander";
import { didYouMean } from "../suggest.js";
import { userError } from "../user-error.js";
import type { RegisterCommand } from "./command-context.js";

/** A command that does nothing by itself: another word says what. */
export interface CommandGroup {
  readonly name: string;
  readonly description: string;
  /** The words that it takes, for people. */
  readonly words: readonly string[];
  /** Loads what adds them below the command, and with it all that they need. */
  readonly load: () => Promise<RegisterCommand>;
}

/** Adds the command of a group to the program, without its words. */
export function addGroup(program: Command, { name, description, words }: CommandGroup): Command {
  return program
    .command(name)
    .description(description)
    .usage(words.join("|"))
    .argument("[word]")
    .action((word: string | undefined) => {
      const problem = word === undefined ? `${name} needs a word after it` : `${name} knows no ${JSON.stringify(word)}`;
      throw userError(`${problem}${didYouMean(word ?? "", words) || `; use one of ${words.join(", ")}`}`);
    });
}
