import type { RegistryChange } from "@cortex-os/mcp-registry";
import { pickUp, servesText } from "../control/pickup.js";
import type { Io } from "../io.js";
import { jsonText } from "../output.js";
import { changeJson } from "../registry-text.js";

/** Changes to the registry that have been made together. */
export interface ReportedChanges {
  /** What happened, for a program. */
  readonly verb: "undone" | "restored";
  readonly changes: readonly RegistryChange[];
  /** What happened, for a person. */
  readonly lines: readonly string[];
}

/** Says what was changed and whether a running gateway has picked it up. */
export async function reportChanges(io: Io, { verb, changes, lines }: ReportedChanges, json: boolean): Promise<void> {
  const pickup = await pickUp(io, changes[0]?.name ?? "");
  if (json) {
    const { running } = pickup;
    io.out(jsonText({ [verb]: changes.map(changeJson), gateway: running ? { running, url: pickup.url } : null }));
    return;
  }
  for (const line of lines) io.out(line);
  if (changes.length > 0) io.out(servesText(pickup));
}
