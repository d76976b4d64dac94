import type { ConnectorOrigin, ConnectorStatus, ServerInfo } from "@cortex-os/mcp-core";
import { liveStatuses, stateText, statusOf, type LiveStatuses } from "../../control/live-statuses.js";
import type { Io } from "../../io.js";
import { columns } from "../../columns.js";
import { jsonText, shortened } from "../../output.js";
import { openRegistry } from "../../registry.js";
import { maskServer } from "../../secrets.js";
import { targetText, transportText } from "../../server-text.js";
import { mapServers } from "../../service-map/map-servers.js";
import type { JsonFlag } from "../command-context.js";

/** Columns for the URL or the command: enough to tell servers apart. */
const TARGET_COLUMNS = 60;

/** Flags of `list`. */
export interface ListFlags extends JsonFlag {
  readonly showSecrets?: true;
}

/** A server as `list` shows it. */
interface Listed {
  readonly entry: ServerInfo;
  readonly source: ConnectorOrigin;
}

/** Shows every server. Resolves with the exit code. */
export async function list(io: Io, { json, showSecrets }: ListFlags): Promise<number> {
  const own = await openRegistry(io).all();
  const live = await liveStatuses(io);
  if (live.kind === "silent") io.err(`cortex-mcp: warning: ${live.problem}`);
  const { servers: published, problem } = await mapServers(io, live);
  if (problem !== undefined) {
    io.err(`cortex-mcp: warning: the service map's connectors are not shown: ${problem}`);
  }
  const listed: readonly Listed[] = [
    ...own.map((entry) => ({ entry, source: "registry" }) as const),
    ...published.map((entry) => ({ entry, source: "map" }) as const),
  ];
  if (json) {
    io.out(
      jsonText(
        listed.map(({ entry, source }) => ({
          ...(showSecrets ? entry : maskServer(entry)),
          source,
          status: statusOf(live, entry.name, source) ?? null,
        })),
      ),
    );
  } else if (listed.length === 0) io.out("No servers yet; cortex-mcp add NAME URL adds one.");
  else show(io, listed, live);
  return 0;
}

function show(io: Io, listed: readonly Listed[], live: LiveStatuses): void {
  const rows = listed.map(({ entry, source }) => {
    const { name, disabled = false } = entry;
    const state = stateText(live, { key: name, source, disabled }) ?? "-";
    const tools = toolsText(statusOf(live, name, source));
    return [name, source, transportText(entry), state, tools, shortened(targetText(entry), TARGET_COLUMNS)];
  });
  io.out(columns(["NAME", "SOURCE", "TRANSPORT", "STATE", "TOOLS", "TARGET"], rows));
  for (const { key, source, state, reason } of live.kind === "known" ? live.statuses : []) {
    const which = source === "map" ? `${key} of the service map` : key;
    if (state === "down") io.out(`${which} is down: ${reason ?? "no reason given"}`);
  }
  if (live.kind === "none") io.out("No gateway is running; cortex-mcp serve starts one.");
}

const toolsText = (status: ConnectorStatus | undefined): string =>
  status?.state === "up" ? String(status.tools) : "-";
