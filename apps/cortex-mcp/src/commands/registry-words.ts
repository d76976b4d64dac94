import type { RegisterCommand } from "./command-context.js";
import { registerRegistryHistory } from "./registry-history.js";
import { registerRegistryRestore } from "./registry-restore.js";
import { registerRegistryUndo } from "./registry-undo.js";
import { registerRegistryVerify } from "./registry-verify.js";

const WORDS = [registerRegistryVerify, registerRegistryHistory, registerRegistryUndo, registerRegistryRestore];

/** The words that may follow `registry`. */
export const registerRegistryWords: RegisterCommand = (registry, context) => {
  for (const register of WORDS) register(registry, context);
};
