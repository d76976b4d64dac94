import { didYouMean } from "../suggest.js";
import { userError } from "../user-error.js";
import type { RegisterCommand } from "./command-context.js";
import { registerRegistryHistory } from "./registry-history.js";
import { registerRegistryRestore } from "./registry-restore.js";
import { registerRegistryUndo } from "./registry-undo.js";
import { registerRegistryVerify } from "./registry-verify.js";

const WORDS = ["verify", "history", "undo", "restore"];

/** `registry …`: the files behind the list of servers, and the way back. */
export const registerRegistry: RegisterCommand = (program, context) => {
  const registry = program
    .command("registry")
    .description("check the files of the registry, show its history, go back in it")
    .usage(WORDS.join("|"))
    .argument("[word]")
    .action((word: string | undefined) => {
      const problem =
        word === undefined ? "registry needs a word after it" : `registry knows no ${JSON.stringify(word)}`;
      throw userError(`${problem}${didYouMean(word ?? "", WORDS) || `; use one of ${WORDS.join(", ")}`}`);
    });
  const words = [registerRegistryVerify, registerRegistryHistory, registerRegistryUndo, registerRegistryRestore];
  for (const register of words) register(registry, context);
};
