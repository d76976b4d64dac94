import type { ReloadReport } from "@cortex-os/mcp";
import { counted } from "../output.js";

/** What a reload changed, for a person. */
export function reloadText({ configuration, connectors, tools, problems }: ReloadReport): string {
  const { changed, needRestart } = configuration;
  return [
    changed.length === 0 ? "Configuration: unchanged." : `Configuration: changed ${changed.join(", ")}.`,
    ...(needRestart.length === 0 ? [] : [`Needs a restart to take effect: ${needRestart.join(", ")}.`]),
    `Connectors: ${connectorsText(connectors)}.`,
    `Tools: ${tools.after}, ${tools.after === tools.before ? "as before" : `before it was ${tools.before}`}.`,
    ...problems.map((problem) => `Problem: ${problem}`),
  ].join("\n");
}

function connectorsText({ added, removed, changed, unchanged }: ReloadReport["connectors"]): string {
  const named = Object.entries({ added, removed, changed }).flatMap(([what, keys]) =>
    keys.length === 0 ? [] : `${what} ${keys.join(", ")}`,
  );
  return [...named, `${counted(unchanged.length, "connector")} unchanged`].join("; ");
}
