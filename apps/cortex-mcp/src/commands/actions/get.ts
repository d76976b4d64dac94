import { liveStatuses, ownAddress, stateText, statusOf } from "../../control/live-statuses.js";
import type { Io } from "../../io.js";
import { jsonText } from "../../output.js";
import { openRegistry } from "../../registry.js";
import { maskServer } from "../../secrets.js";
import { targetText, transportText } from "../../server-text.js";
import type { JsonFlag } from "../command-context.js";
import { findServer } from "../find-server.js";

/** Flags of `get`. */
export interface GetFlags extends JsonFlag {
  readonly showSecrets?: true;
}

/** Shows one server. Resolves with the exit code. */
export async function get(io: Io, name: string, { json, showSecrets }: GetFlags): Promise<number> {
  const { entry: stored, source } = await findServer(io, openRegistry(io), name);
  const entry = showSecrets ? stored : maskServer(stored);
  const live = await liveStatuses(io);
  if (live.kind === "silent") io.err(`cortex-mcp: warning: ${live.problem}`);
  const status = statusOf(live, name, source) ?? null;
  const address = ownAddress(live, name, source);
  if (json) {
    io.out(jsonText({ ...entry, source, status, ownAddress: address ?? null }));
    return 0;
  }
  io.out(`${entry.name} (${transportText(entry)})`);
  const { version } = entry;
  if (source === "map") io.out(`  source: service map${typeof version === "string" ? `, version ${version}` : ""}`);
  const { endpoint, command, args = [] } = entry;
  const inFull = showSecrets && (endpoint ?? command) !== undefined;
  io.out(`  target: ${inFull ? jsonText(endpoint ?? [command, ...args]) : targetText(entry)}`);
  if (entry.cwd !== undefined) io.out(`  folder: ${entry.cwd}`);
  for (const [key, value] of Object.entries(entry.headers ?? {})) io.out(`  header: ${key}: ${value}`);
  for (const [key, value] of Object.entries(entry.env ?? {})) io.out(`  env: ${key}=${value}`);
  if (address !== undefined) io.out(`  by itself at: ${address}`);
  const state = stateText(live, { key: name, source, disabled: entry.disabled === true }) ?? "no gateway is running";
  io.out(`  state: ${state}${status?.reason === undefined ? "" : `, ${status.reason}`}`);
  return 0;
}
