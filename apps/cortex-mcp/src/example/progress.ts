import type { Gateway } from "@cortex-os/mcp";
import type { ConnectorStatus, Monotonic } from "@cortex-os/mcp-core";
import { counted } from "../output.js";

const NAME_COLUMNS = 12;
const SOURCE_COLUMNS = 9;

/** Tells of each connector where it comes from, once it has come up, or why it has not, until the returned function is called. */
export function showProgress(
  gateway: Pick<Gateway, "onChange" | "status">,
  monotonic: Monotonic,
  write: (line: string) => void,
): () => void {
  const startedMs = monotonic.elapsedMs();
  const told = new Map<string, string>();
  const tell = (): void => {
    const seconds = ((monotonic.elapsedMs() - startedMs) / 1000).toFixed(1);
    for (const status of gateway.status().connectors) {
      const text = textOf(status);
      const name = `${status.key.padEnd(NAME_COLUMNS)} ${status.source.padEnd(SOURCE_COLUMNS)}`;
      if (text === undefined || told.get(name) === text) continue;
      told.set(name, text);
      write(`  ${name} ${text}  (${seconds} s)`);
    }
  };
  tell();
  return gateway.onChange(tell);
}

function textOf({ state, tools, reason }: ConnectorStatus): string | undefined {
  switch (state) {
    case "up":
      return `up, ${counted(tools, "tool")}`;
    case "down":
      return `down: ${reason ?? "no reason given"}`;
    case "disabled":
      return "disabled";
    case "connecting":
      return undefined;
  }
}
