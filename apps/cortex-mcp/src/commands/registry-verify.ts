import { verifyRegistry, type FileState, type RegistryVerdict } from "@cortex-os/mcp-registry";
import type { Io } from "../io.js";
import { columns } from "../columns.js";
import { counted, jsonText } from "../output.js";
import { statePaths } from "../state/state-paths.js";
import { oneLine } from "../user-error.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** What the state of a file means to a person. */
const STATES: Readonly<Record<FileState, string>> = {
  whole: "whole",
  unsealed: "as somebody else wrote it",
  torn: "cut short at its end, before anything there was acknowledged",
  damaged: "damaged",
};

/** What was found is told as those say it who act on it. */
const UNTOUCHED =
  "Nothing was changed by this check; what can be put in order will be by the next command or gateway that uses the registry.";

/** `registry verify`: what is on the disk. It reads only, and asks no gateway. */
export const registerRegistryVerify: RegisterCommand = (registry, { io, finish }) => {
  withJson(registry.command("verify"))
    .description("check the files of the registry, changing nothing")
    .action(({ json }: JsonFlag) => {
      const { registry: path } = statePaths(io.env);
      const verdict = verifyRegistry(path);
      if (json) io.out(jsonText({ path, ...shown(verdict) }));
      else show(io, path, verdict);
      finish(verdict.findings.some(({ level }) => level === "error") ? 1 : 0);
    });
};

/** Without the entries: they hold secrets, and `list` shows them. */
function shown({ servers, files, findings, changes, sinceMs }: RegistryVerdict): object {
  const since = sinceMs === undefined ? null : new Date(sinceMs).toISOString();
  return { servers: servers.length, files, findings, changes, since };
}

function show(io: Io, path: string, { servers, files, findings, changes, sinceMs }: RegistryVerdict): void {
  io.out(`${path}: ${counted(servers.length, "server")}`);
  if (files.length > 0) {
    io.out(
      columns(
        ["FILE", "STATE"],
        files.map(({ name, state }) => [name, STATES[state]]),
      ),
    );
  }
  const reach = sinceMs === undefined ? "" : `, back to ${new Date(sinceMs).toISOString()}`;
  io.out(`History: ${counted(changes, "change")}${reach}.`);
  for (const { level, text } of findings) io.out(`${level}: ${oneLine(text)}`);
  io.out(findings.every(({ level }) => level === "info") ? "The registry is good." : UNTOUCHED);
}
