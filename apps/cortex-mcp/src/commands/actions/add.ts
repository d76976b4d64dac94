import type { ServerInfo } from "@cortex-os/mcp-core";
import type { Io } from "../../io.js";
import { openRegistry } from "../../registry.js";
import { saveNew } from "../save-new.js";
import { serverFromWords, type AddWords } from "../server-from-words.js";
import type { JsonFlag } from "../command-context.js";

/** Flags of `add`. */
export interface AddFlags extends JsonFlag {
  readonly transport?: string;
  readonly env?: readonly string[];
  readonly header?: readonly string[];
  readonly force?: true;
}

/** Puts a server from the words of the command line into the registry. Resolves with the exit code. */
export async function add(io: Io, words: AddWords, flags: { force: boolean; json: boolean }): Promise<number> {
  const entry: ServerInfo = await serverFromWords(words, io);
  return saveNew(io, openRegistry(io), entry, flags);
}
