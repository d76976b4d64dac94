import type { RegistryChange } from "@cortex-os/mcp-registry";
import { columns } from "./columns.js";

/** What was done to an entry, as a person says it. */
const DONE: Readonly<Record<RegistryChange["kind"], string>> = {
  added: "added",
  changed: "changed",
  removed: "removed",
  arranged: "rearranged",
};

/** Who did it. */
const HANDS: Readonly<Record<RegistryChange["by"], string>> = {
  command: "a command",
  hand: "an editor",
  undo: "undo",
  restore: "restore",
};

/** How things are after it was taken back. */
const TAKEN_BACK: Readonly<Record<RegistryChange["kind"], string>> = {
  added: "is gone again",
  changed: "is as it was before",
  removed: "is back",
  arranged: "is as it was before",
};

const timeText = (atMs: number): string => new Date(atMs).toISOString();

/** The name of what was changed; an arrangement is of the whole. */
const nameText = ({ name }: RegistryChange): string =>
  name === undefined ? "servers.json itself" : JSON.stringify(name);

/** A table of changes, in the order they are given. Holds no values: they are secret. */
export function historyText(changes: readonly RegistryChange[]): string {
  const rows = changes.map((change) => [
    timeText(change.atMs),
    change.name ?? "-",
    DONE[change.kind],
    HANDS[change.by],
    change.undone ? "undone" : "",
  ]);
  return columns(["TIME", "NAME", "WHAT", "BY", ""], rows);
}

/** One line: `"docs" was added by a command at 2026-…`. */
export const changeText = (change: RegistryChange): string =>
  `${nameText(change)} was ${DONE[change.kind]} by ${HANDS[change.by]} at ${timeText(change.atMs)}`;

/** One line about a change that was taken back. */
export const takenBackText = (change: RegistryChange): string =>
  `${nameText(change)} ${TAKEN_BACK[change.kind]}: it was ${DONE[change.kind]} at ${timeText(change.atMs)}.`;

/** One line about a change that has just been made. */
export const madeText = (change: RegistryChange): string => `${nameText(change)} was ${DONE[change.kind]}.`;

/** A change as `--json` prints it. */
export const changeJson = ({ atMs, ...change }: RegistryChange): object => ({ at: timeText(atMs), ...change });
