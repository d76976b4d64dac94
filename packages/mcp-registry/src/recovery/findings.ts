import type { Operation } from "../journal/operation.js";
import { countOf, type Finding } from "./finding.js";
import type { HandEdited } from "./hand-edit.js";
import type { Basis, Evidence, State } from "./evidence.js";

const MOST_NAMES = 5;

/** What became of the files: of an edit by hand, {@link HandEdited}. */
export type Outcome = Pick<HandEdited, "edit" | "edited" | "stayed"> & { readonly basis: Basis };

/** What people should know about how a registry was recovered. Plain words: the command line prints them as they are. */
export function findingsOf(evidence: Evidence, state: State, outcome: Outcome, collisions: number): readonly Finding[] {
  return [
    ...ofSnapshot(evidence, state, outcome),
    ...ofJournals(evidence),
    ...(state.missing === 0
      ? []
      : [error(`${countOf(state.missing, "change")} of the journal cannot be read any more: check your servers`)]),
    ...(collisions === 0
      ? []
      : [
          warning(
            `${countOf(collisions, "change")} of the journal ${collisions === 1 ? "was" : "were"} written by two processes at once, without a lock: all were kept`,
          ),
        ]),
  ];
}

function ofSnapshot(
  { snapshot, prev, journals }: Evidence,
  state: State,
  { basis, edit, edited, stayed }: Outcome,
): readonly Finding[] {
  const rebuilt = rebuiltText(state, journals);
  switch (snapshot.kind) {
    case "absent": {
      const isMarked = journals.some(({ snapshotSeq }) => snapshotSeq !== undefined);
      if (state.complete && !isMarked && prev().kind === "absent") return [];
      return [
        {
          level: state.complete && journals.length > 0 ? "warning" : "error",
          text: `servers.json is gone: ${rebuilt}. To remove servers use cortex-mcp remove`,
        },
      ];
    }
    case "damaged":
      return basis === "nothing"
        ? [
            error(
              `servers.json is damaged: ${snapshot.reason}; there is no journal to rebuild it from: mend it, or move it away to begin anew`,
            ),
          ]
        : [error(`servers.json is damaged: ${snapshot.reason}; ${rebuilt}`)];
    case "sealed":
      if (basis === "snapshot") return ofOlder(snapshot.generation.seq, state, journals);
      return [
        warning(
          `servers.json is from another registry, or older than the journal reaches: it was taken as it is${undoable(edit)}`,
        ),
      ];
    case "loose":
      return isFirst(edited, snapshot.seal, journals)
        ? []
        : [
            warning(
              `servers.json was changed by hand${namesText(edited)}: taken as it is${stayedText(stayed)}${undoable(edit)}`,
            ),
          ];
    case "newer":
      return [];
  }
}

/** To read after what happened to `servers.json`. */
function rebuiltText({ table, complete }: State, journals: Evidence["journals"]): string {
  const { length } = table.served;
  const servers = countOf(length, "server");
  const were = length === 1 ? "was" : "were";
  if (journals.length === 0) return `${servers} ${were} taken from servers.json.prev, later changes may be missing`;
  if (complete) return `its ${servers} ${were} rebuilt from the journal`;
  return `${servers} ${were} rebuilt from what is left of the journal, others may be missing`;
}

/** A file that nobody has seen before, or that the first changes of all were made to: as it may be. */
function isFirst(edited: readonly string[] | undefined, seal: unknown, journals: Evidence["journals"]): boolean {
  if (edited !== undefined || seal !== undefined) return false;
  return journals.every(({ snapshotSeq }) => snapshotSeq === undefined);
}

/** A snapshot that was durable once, in the place of a newer one: somebody put a copy back. */
function ofOlder(seq: number, state: State, journals: Evidence["journals"]): readonly Finding[] {
  const newest = Math.max(-1, ...journals.map(({ snapshotSeq }) => snapshotSeq ?? -1));
  if (newest <= seq) return [];
  const made = `${countOf(state.made, "later change")} ${state.made === 1 ? "was" : "were"}`;
  return [
    warning(`servers.json was an older copy: ${made} made again. To go back use cortex-mcp registry restore --at TIME`),
  ];
}

function ofJournals({ log, log1 }: Evidence): readonly Finding[] {
  const found: Finding[] = [];
  if (log?.state === "torn") {
    found.push({
      level: "info",
      text: "the last change in servers.json.log was cut short before it was acknowledged: it was dropped",
    });
  }
  for (const [name, journal] of [
    ["servers.json.log.1", log1],
    ["servers.json.log", log],
  ] as const) {
    if (journal?.state === "corrupt")
      found.push(error(`${name} is damaged: every change that can still be read was kept`));
  }
  return found;
}

const namesText = (names: readonly string[] = []): string => (names.length === 0 ? "" : ` (${listText(names)})`);

function stayedText(names: readonly string[] = []): string {
  if (names.length === 0) return "";
  const stay = names.length === 1 ? "stays, though it is" : "stay, though they are";
  return `; ${listText(names)} ${stay} not in it, because a part of it cannot be read`;
}

function listText(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const undoable = (edit: readonly Operation[]): string =>
  edit.length === 0 ? "" : ". cortex-mcp registry undo takes that back";

const warning = (text: string): Finding => ({ level: "warning", text });

const error = (text: string): Finding => ({ level: "error", text });
