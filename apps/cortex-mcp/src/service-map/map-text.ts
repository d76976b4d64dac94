import type { MapDiff, ServiceMapStatus } from "@cortex-os/mcp";
import { counted, durationText } from "../output.js";

/** What a gateway knows of its service map, for a person: one line, and one more for each thing that needs attention. */
export function mapStatusLines(status: ServiceMapStatus, nowMs: number): readonly string[] {
  const { url, lastAttemptAt, failures, circuit, pinned, held } = status;
  const lastError = lastErrorText(status);
  const lines = [`Service map ${url}: ${[stateText(status, nowMs), ...factsOf(status, nowMs)].join(", ")}`];
  if (lastError !== undefined) {
    const when = lastAttemptAt === undefined ? "" : ` ${sinceText(lastAttemptAt, nowMs)}`;
    const often = failures > 1 ? `, ${failures} in a row` : "";
    const pause = circuit === "open" ? " (the publisher is left alone for a while)" : "";
    lines.push(`  last refresh failed${when}${often}${pause}: ${lastError}`);
  }
  if (pinned !== undefined) {
    const effect = isForgottenPin(status) ? ", whose connectors are down by now" : "";
    lines.push(`  pinned to ${pinned}${effect}; cortex-mcp map pin --off follows the newest again`);
  }
  if (held !== undefined) {
    lines.push(`  held: ${held.id} of ${held.generatedAt}: ${held.reason}`);
    lines.push(`  it takes away: ${held.removed.join(", ")}`);
  }
  return lines;
}

/** Why the last refresh failed, without the map's URL in front; `undefined` when it did not. */
export function lastErrorText({ url, lastError }: ServiceMapStatus): string | undefined {
  const prefix = `Service map ${url}: `;
  return lastError?.startsWith(prefix) === true ? lastError.slice(prefix.length) : lastError;
}

/** What one service map changes against another, for a person. */
export function diffLines({ from, to, added, removed, changed, unchanged }: MapDiff): readonly string[] {
  const old = from === undefined ? "nothing" : `${from.id} of ${from.generatedAt}`;
  return [
    `${to?.id} of ${to?.generatedAt}, against ${old}:`,
    ...removed.map((id) => `- ${id}`),
    ...changed.map(({ id, members }) => `~ ${id}: ${members.join(", ")}`),
    ...added.map((id) => `+ ${id}`),
    `${removed.length} removed, ${changed.length} changed, ${added.length} added, ${unchanged} as before.`,
  ];
}

/** A person keeps a map that has grown too old: no newer one will take its place. */
const isForgottenPin = ({ state, id, pinned }: ServiceMapStatus): boolean =>
  state === "expired" && pinned !== undefined && pinned === id;

function stateText(status: ServiceMapStatus, nowMs: number): string {
  const { state, expiresAt, staleUntil } = status;
  if (isForgottenPin(status)) return "pinned, and too old to be served";
  switch (state) {
    case "none":
      return "none yet";
    case "fresh":
      return "fresh";
    case "stale": {
      const expired = expiresAt === undefined ? "" : `, expired ${sinceText(expiresAt, nowMs)}`;
      return `stale${expired}${staleUntil === undefined ? "" : `, served until ${staleUntil}`}`;
    }
    case "expired":
      return "expired: its connectors are down until a newer one comes";
  }
}

function factsOf(status: ServiceMapStatus, nowMs: number): readonly string[] {
  const { id, connectors, ageSeconds, keyId, mode, nextRefreshAt } = status;
  return [
    ...(connectors === undefined ? [] : [counted(connectors, "connector")]),
    ...(id === undefined ? [] : [`id ${id}`]),
    ...(ageSeconds === undefined ? [] : [`${durationText(ageSeconds * 1_000)} old`]),
    ...(keyId === undefined ? [] : [`key ${keyId}`]),
    ...(mode === "synchronous" ? ["refreshed when it is needed"] : []),
    ...(nextRefreshAt === undefined ? [] : [`next refresh in ${durationText(Date.parse(nextRefreshAt) - nowMs)}`]),
  ];
}

const sinceText = (time: string, nowMs: number): string => `${durationText(nowMs - Date.parse(time))} ago`;
