import { didYouMean } from "../suggest.js";
import { userError } from "../user-error.js";
import type { RegisterCommand } from "./command-context.js";
import { registerMapKeygen } from "./map-keygen.js";
import { registerMapOperations } from "./map-operations.js";
import { registerMapServe } from "./map-serve.js";
import { registerMapSign } from "./map-sign.js";
import { registerMapVerify } from "./map-verify.js";

const WORDS = ["keygen", "sign", "verify", "serve", "refresh", "diff", "pin", "rollback", "accept"];

/** `map …`: the signed service map, for those who publish one and those whose gateway follows one. */
export const registerMap: RegisterCommand = (program, context) => {
  const map = program
    .command("map")
    .description("publish a signed service map, check one, or say which one to serve")
    .usage(WORDS.join("|"))
    .argument("[word]")
    .action((word: string | undefined) => {
      const problem = word === undefined ? "map needs a word after it" : `map knows no ${JSON.stringify(word)}`;
      throw userError(`${problem}${didYouMean(word ?? "", WORDS) || `; use one of ${WORDS.join(", ")}`}`);
    });
  const publishing = [registerMapKeygen, registerMapSign, registerMapVerify, registerMapServe];
  for (const register of [...publishing, registerMapOperations]) register(map, context);
};
