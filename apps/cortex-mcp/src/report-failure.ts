import { GatewayError } from "@cortex-os/mcp-core";
import { adviceOn } from "@cortex-os/mcp-registry";
import { CommanderError } from "commander";
import { CallError } from "./control/call-error.js";
import type { FailureCode } from "./control/views.js";
import type { Io } from "./io.js";
import { jsonText } from "./output.js";
import { oneLine } from "./user-error.js";

const USER_CAN_MEND = 1;
const OUR_BUG = 70;

/** Tells what went wrong in the way `run` promises, and gives the exit code. */
export function reportFailure(error: unknown, json: boolean, io: Pick<Io, "out" | "err">): number {
  const failure = failureOf(error);
  const ours = failure.code === "INTERNAL";
  if (json) io.out(jsonText({ error: failure }));
  if (ours) io.err(`cortex-mcp: this is a bug in cortex-mcp, please report it: ${stackOf(error)}`);
  else if (!json) io.err(`cortex-mcp: ${failure.message}`);
  return ours ? OUR_BUG : USER_CAN_MEND;
}

function failureOf(error: unknown): { code: FailureCode; message: string } {
  if (GatewayError.is(error) || error instanceof CallError) {
    return { code: error.code, message: oneLine(error.message) };
  }
  if (error instanceof CommanderError) return { code: "USER_INPUT", message: wordsOf(error) };
  if (isRefusedBySystem(error)) return { code: "USER_INPUT", message: systemText(error) };
  return { code: "INTERNAL", message: "internal error" };
}

/** What the operating system refuses (no permission, a full disk, a file where a folder must be) names the place, and is no bug. */
const isRefusedBySystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "syscall" in error;

const systemText = (error: NodeJS.ErrnoException): string =>
  error.path === undefined ? oneLine(error.message) : oneLine(`cannot use ${error.path}: ${adviceOn(error)}`);

/** Commander's message in one line, without the value of a flag it does not know: that could be a secret. */
function wordsOf({ message }: CommanderError): string {
  const text = oneLine(message)
    .replace(/^error: /, "")
    .replace(/\.$/, "")
    .replace(/('--?[^'=\s]+)=[^']*'/, "$1'");
  const hint = text.startsWith("unknown option") ? "; options of a server's own command go after --" : "";
  return `${text}${hint}; see cortex-mcp --help`;
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
