import { transportOf, type ServerInfo } from "@cortex-os/mcp-core";
import { maskArguments, maskUrl } from "./secrets.js";

/** Where an entry leads, in one line without secrets: the URL, or the command with its arguments; `-` where only the gateway knows. */
export function targetText(entry: ServerInfo): string {
  if (transportOf(entry) !== "stdio") return maskUrl(entry.endpoint ?? "-");
  return [entry.command ?? "", ...maskArguments(entry.args ?? [])].map(quoted).join(" ");
}

/** The transport in the words of `add -t`. */
export function transportText(entry: ServerInfo): string {
  const transport = transportOf(entry);
  return transport === "streamableHttp" ? "http" : transport;
}

const quoted = (word: string): string => (/^[\w@%+=:,./*-]+$/.test(word) ? word : JSON.stringify(word));
