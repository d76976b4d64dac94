import type { Io } from "../io.js";
import { userError } from "../user-error.js";

/**
 * Whether a person wants what `question` asks: `--yes` says so, at a terminal the answer does.
 *
 * @param question lines; the last one is the question
 * @throws GatewayError USER_INPUT where nobody can be asked and `--yes` is not given
 */
export async function isConfirmed(io: Io, question: readonly string[], yes: true | undefined): Promise<boolean> {
  if (yes === true) return true;
  if (!io.terminal.in || !io.terminal.err) throw userError("this asks first, and there is no terminal; add --yes");
  for (const line of question.slice(0, -1)) io.err(line);
  io.err(`${question.at(-1) ?? ""} [y/N]`);
  if (/^y(?:es)?$/i.test((await io.readLine())?.trim() ?? "")) return true;
  io.err("Nothing was changed.");
  return false;
}
