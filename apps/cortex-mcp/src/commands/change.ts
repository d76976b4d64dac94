import type { ServerInfo } from "@cortex-os/mcp-core";
import { pickUp, pickupText } from "../control/pickup.js";
import type { Io } from "../io.js";
import { jsonText } from "../output.js";
import { maskServer } from "../secrets.js";

/** A change to the registry that has been made. */
export interface Change {
  /** What happened, for a person. */
  readonly text: string;
  /** What happened, for a program. */
  readonly verb: "added" | "replaced" | "removed" | "enabled" | "disabled" | "unchanged";
  /** The entry as it is now, or as it was when it is gone. */
  readonly entry: ServerInfo;
}

/** Says what was changed and whether a running gateway has picked it up. */
export async function reportChange(io: Io, change: Change, json: boolean): Promise<void> {
  const pickup = await pickUp(io, change.entry.name);
  if (json) {
    io.out(jsonText({ [change.verb]: maskServer(change.entry), gateway: pickup.running ? pickup : null }));
    return;
  }
  io.out(change.text);
  io.out(pickupText(pickup, change.verb !== "removed"));
}
