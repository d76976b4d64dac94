import type { Gateway } from "@cortex-os/mcp";
import type { ConnectorStatus, Monotonic } from "@cortex-os/mcp-core";
import { counted } from "../output.js";

const NAME_COLUMNS = 12;

/** Tells of each connector once it has come up, or why it has not, until the returned function is called. */
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
      if (text === undefined || told.get(status.key) === text) continue;
      told.set(status.key, text);
      write(`  ${status.key.padEnd(NAME_COLUMNS)} ${text}  (${seconds} s)`);
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
