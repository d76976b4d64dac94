import type { RegistryChange } from "@cortex-os/mcp-registry";
import type { Io } from "../io.js";
import { counted, jsonText } from "../output.js";
import { changeJson, historyText } from "../registry-text.js";
import { openRegistry } from "../registry.js";
import { userError } from "../user-error.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

interface HistoryFlags extends JsonFlag {
  readonly limit?: string;
}

const DEFAULT_LIMIT = 20;
const RULE =
  "Kept are the changes of the current journal and of the one before it, about 1 MiB each; what older ones did is in servers.json alone.";

/** `registry history [--limit N]`: what was changed, newest first. */
export const registerRegistryHistory: RegisterCommand = (registry, { io, finish }) => {
  withJson(registry.command("history"))
    .description("list what was changed and when, newest first; no values, they hold secrets")
    .option("--limit <n>", `how many to show (default: ${DEFAULT_LIMIT})`)
    .action(async ({ limit, json }: HistoryFlags) => {
      const most = limitOf(limit);
      const all = await openRegistry(io).history();
      const shown = all.toReversed().slice(0, most);
      if (json) io.out(jsonText({ changes: shown.map(changeJson), total: all.length, rule: RULE }));
      else show(io, all, shown);
      finish(0);
    });
};

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw userError(`--limit must be a number from 1 on, not ${JSON.stringify(text)}`);
}

function show(io: Io, all: readonly RegistryChange[], shown: readonly RegistryChange[]): void {
  const [oldest] = all;
  if (oldest === undefined) io.out("No change is known yet.");
  else {
    io.out(historyText(shown));
    const since = `It reaches back to ${new Date(oldest.atMs).toISOString()}: ${counted(all.length, "change")}`;
    io.out(
      `${since}${shown.length < all.length ? `, of which ${shown.length} ${shown.length === 1 ? "is" : "are"} shown` : ""}.`,
    );
  }
  io.out(RULE);
}
