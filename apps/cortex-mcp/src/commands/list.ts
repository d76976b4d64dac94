import type { ConnectorStatus } from "@cortex-os/mcp-core";
import { liveStatuses, stateText } from "../control/live-statuses.js";
import type { Io } from "../io.js";
import { columns, jsonText, shortened } from "../output.js";
import { openRegistry } from "../registry.js";
import { maskServer } from "../secrets.js";
import { targetText, transportText } from "../server-text.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** Columns for the URL or the command: enough to tell servers apart. */
const TARGET_COLUMNS = 60;

interface ListFlags extends JsonFlag {
  readonly showSecrets?: true;
}

/** `list`: every server of the registry with its live state. */
export const registerList: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("list"))
    .description("list the servers and how they are")
    .option("--show-secrets", "with --json: do not mask headers, environment and keys")
    .action(async (flags: ListFlags) => {
      finish(await list(io, flags));
    });
};

async function list(io: Io, { json, showSecrets }: ListFlags): Promise<number> {
  const entries = await openRegistry(io).all();
  const live = await liveStatuses(io);
  if (live.kind === "silent") io.err(`cortex-mcp: warning: ${live.problem}`);
  const statuses = live.kind === "known" ? live.statuses : undefined;
  if (json) {
    const shown = entries.map((entry) => (showSecrets ? entry : maskServer(entry)));
    io.out(jsonText(shown.map((entry) => ({ ...entry, status: statuses?.get(entry.name) ?? null }))));
    return 0;
  }
  if (entries.length === 0) {
    io.out("No servers yet; cortex-mcp add NAME URL adds one.");
    return 0;
  }
  const rows = entries.map((entry) => {
    const state = stateText(live, entry.name, entry.disabled === true) ?? "-";
    const tools = toolsText(statuses?.get(entry.name));
    return [entry.name, transportText(entry), state, tools, shortened(targetText(entry), TARGET_COLUMNS)];
  });
  io.out(columns(["NAME", "TRANSPORT", "STATE", "TOOLS", "TARGET"], rows));
  for (const status of statuses?.values() ?? []) {
    if (status.state === "down") io.out(`${status.key} is down: ${status.reason ?? "no reason given"}`);
  }
  if (live.kind === "none") io.out("No gateway is running; cortex-mcp serve starts one.");
  return 0;
}

const toolsText = (status: ConnectorStatus | undefined): string =>
  status?.state === "up" ? String(status.tools) : "-";
