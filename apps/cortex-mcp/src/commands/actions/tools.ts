import { withGateway } from "../../control/gateway-access.js";
import type { GatewayView, ToolView } from "../../control/views.js";
import type { Io } from "../../io.js";
import { columns } from "../../columns.js";
import { counted, jsonText, shortened } from "../../output.js";

const NARROWEST_DESCRIPTION = 20;

/** Shows every tool that clients are offered. Resolves with the exit code. */
export async function tools(io: Io, json: boolean): Promise<number> {
  const { found, status } = await withGateway(io, async (gateway) => ({
    found: await gateway.tools(),
    status: await gateway.status(),
  }));
  for (const problem of status.problems) io.err(`cortex-mcp: warning: ${problem}`);
  if (json) {
    io.out(jsonText(found));
    return 0;
  }
  if (found.length > 0) io.out(tableOf(found, io.terminal.columns));
  io.out(summaryOf(found, status));
  for (const { key, state, reason } of status.connectors) {
    if (state === "down") io.err(`${key} is down: ${reason ?? "no reason given"}`);
    if (state === "connecting") io.err(`${key} has not answered yet`);
  }
  return 0;
}

function tableOf(found: readonly ToolView[], width: number): string {
  const longest = found.reduce((most, { name }) => Math.max(most, name.length), 0);
  const room = Math.max(NARROWEST_DESCRIPTION, width - longest - 2);
  return columns(
    ["TOOL", "DESCRIPTION"],
    found.map(({ name, definition }) => [name, shortened(descriptionOf(definition), room)]),
  );
}

function summaryOf(found: readonly ToolView[], { connectors, problems }: GatewayView): string {
  if (connectors.length === 0 && problems.length === 0) return "No servers yet; cortex-mcp add NAME URL adds one.";
  const up = connectors.filter(({ state }) => state === "up").length;
  return `${counted(found.length, "tool")} of ${up} of ${counted(connectors.length, "server")}.`;
}

function descriptionOf({ description, title }: ToolView["definition"]): string {
  if (typeof description === "string") return description;
  return typeof title === "string" ? title : "";
}
