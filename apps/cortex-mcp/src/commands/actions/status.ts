import { ControlClient } from "../../control/control-client.js";
import type { Io } from "../../io.js";
import { columns } from "../../columns.js";
import { counted, jsonText, shortened } from "../../output.js";
import { mapStatusLines } from "../../service-map/map-text.js";
import { requireRunningGateway } from "../../state/running-gateway.js";
import { statePaths } from "../../state/state-paths.js";

/** Shows the running gateway. Resolves with the exit code. */
export async function status(io: Io, json: boolean): Promise<number> {
  const running = await requireRunningGateway(statePaths(io.env));
  const view = await new ControlClient(running, io.system.timers).status();
  const { url = null, pid = null } = running.record ?? {};
  const where = running.record === undefined ? "at (still starting)" : url === null ? "(stdio only)" : `at ${url}`;
  if (json) {
    io.out(jsonText({ url, pid, ...view }));
    return 0;
  }
  const tools = counted(view.tools, "tool");
  io.out(`cortex-mcp ${view.version} ${where}, pid ${pid ?? "?"}, since ${view.startedAt}, ${tools}`);
  for (const problem of view.problems) io.out(`Problem: ${problem}`);
  if (view.serviceMap !== undefined) {
    for (const line of mapStatusLines(view.serviceMap, io.system.clock.now())) io.out(line);
  }
  if (view.connectors.length === 0) {
    if (view.problems.length === 0) io.out("No servers yet; cortex-mcp add NAME URL adds one.");
    return 0;
  }
  const rows = view.connectors.map((connector) => [
    connector.key,
    connector.source,
    connector.state,
    String(connector.tools),
    connector.era ?? "-",
    connector.since,
    connector.reason ?? "",
  ]);
  io.out(columns(["NAME", "SOURCE", "STATE", "TOOLS", "ERA", "SINCE", "REASON"], rows));
  for (const { key, leftOut = [] } of view.connectors) {
    for (const entry of leftOut) io.out(`${key}: not offered, it breaks the specification: ${printable(entry)}`);
  }
  for (const { key, note } of view.connectors) if (note !== undefined) io.out(`${key}: ${note}`);
  return 0;
}

/** Names are the server's own: none may move a terminal's cursor. */
const printable = (text: string): string => shortened(text.replaceAll(/\p{C}/gu, "?"), 160);
